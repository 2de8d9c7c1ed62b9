#include <doctest/doctest.h>

#include "base/file.h"
#include "layer/testing/wheel_maker.h"
#include "layer/zip_archive.h"
#include "layer/zip_name.h"

using namespace slipway;
using namespace slipway::layer;
using namespace slipway::layer::testing;

namespace {

struct Fixture {
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-zip").value();

  /// "" when the wheel builds, else the error's message.
  std::string fault_of(const MadeZip& zip) { return fault_of(make_zip(zip)); }
  std::string fault_of(const std::string& bytes) {
    const WheelInput input = write_wheel(folder.path(), "demo", "1.0", bytes);
    SilentReporter reporter;
    const TemporaryFolder tree = TemporaryFolder::create(folder.path(), "tree").value();
    const auto with_tree =
        build_wheel_layer(std::vector{input}, {}, &tree.path(), nullptr, reporter, {});
    const auto without = build_wheel_layer(std::vector{input}, {}, nullptr, nullptr, reporter, {});
    CHECK(with_tree.ok() == without.ok());
    if (with_tree.ok()) {
      CHECK(*with_tree == *without);
      return {};
    }
    CHECK(with_tree.error().kind == ErrorKind::Corrupt);
    CHECK(with_tree.error().message == without.error().message);
    return with_tree.error().message;
  }
};

MadeMember member(std::string name, std::string text) {
  MadeMember made;
  made.name = std::move(name);
  made.text = std::move(text);
  return made;
}

/// A wheel whose second member was changed by `change`.
template <typename Change>
MadeZip wheel_with(Change change, std::size_t size = 3000) {
  MadeMember changed = member("demo/data.txt", made_text(7, size));
  change(changed);
  MadeZip zip = make_wheel("demo", "1.0", {member("demo/__init__.py", "x = 1\n"), changed});
  return zip;
}

}  // namespace

TEST_CASE("wheels as tools write them are taken") {
  Fixture fixture;
  struct Case {
    const char* name;
    MadeZip zip;
  };
  const auto kept = [](MadeMember&) {};
  std::vector<Case> cases{
      {"plain", wheel_with(kept)},
      {"stored", wheel_with([](MadeMember& m) { m.method = 0; })},
      {"stored and large", wheel_with([](MadeMember& m) { m.method = 0; }, 3000000)},
      {"large", wheel_with(kept, 3000000)},
      {"a whole buffer", wheel_with(kept, 1048576)},
      {"two whole buffers", wheel_with(kept, 2 * 1048576)},
      {"a byte more than a buffer", wheel_with(kept, 1048577)},
      {"empty", wheel_with(kept, 0)},
      {"extra field",
       wheel_with([](MadeMember& m) { m.extra = std::string("\x55\x54\x01\0\0", 5); })},
      {"zip64 member", wheel_with([](MadeMember& m) { m.zip64 = true; })},
      {"UTF-8 name", wheel_with([](MadeMember& m) {
         m.name = "demo/\xc3\xa4.txt";
         m.flags = 1 << 11;
       })}};
  for (const Descriptor kind :
       {Descriptor::Short, Descriptor::Marked, Descriptor::Wide, Descriptor::WideMarked}) {
    cases.push_back({"descriptor", wheel_with([&](MadeMember& m) { m.descriptor = kind; })});
  }
  MadeZip wide = wheel_with(kept);
  wide.zip64 = true;
  cases.push_back({"zip64 end", wide});
  MadeZip folder = wheel_with(kept);
  folder.members.insert(folder.members.begin(), member("demo/", ""));
  cases.push_back({"folder member", folder});
  for (const Case& c : cases) {
    INFO(c.name);
    CHECK(fixture.fault_of(c.zip) == "");
  }
}

TEST_CASE("wheels that lie are refused, by name") {
  Fixture fixture;
  struct Case {
    const char* fault;
    void (*change)(MadeMember&);
    std::size_t size = 3000;
  };
  const Case cases[] = {
      {"has `..` in its name", [](MadeMember& m) { m.name = "demo/../../evil"; }},
      {"has `..` in its name", [](MadeMember& m) { m.name = ".."; }},
      {"has an absolute name", [](MadeMember& m) { m.name = "/etc/passwd"; }},
      {"has a backslash in its name", [](MadeMember& m) { m.name = "demo\\evil"; }},
      {"has a NUL in its name", [](MadeMember& m) { m.name = std::string("demo/a\0b", 8); }},
      {"has a control character", [](MadeMember& m) { m.name = "demo/\x1b[31m"; }},
      {"neither ASCII nor marked", [](MadeMember& m) { m.name = "demo/\xe4"; }},
      {"not valid UTF-8",
       [](MadeMember& m) {
         m.name = "demo/\xe4";
         m.flags = 1 << 11;
       }},
      {"has an empty part", [](MadeMember& m) { m.name = "demo//x"; }},
      {"has an empty part", [](MadeMember& m) { m.name = "demo/./x"; }},
      {"has too long a name", [](MadeMember& m) { m.name = std::string(300, 'x'); }},
      {"has too long a name",
       [](MadeMember& m) {
         for (int i = 0; i < 600; ++i) m.name += "/x";
       }},
      {"lies too deep",
       [](MadeMember& m) {
         for (int i = 0; i < 70; ++i) m.name += "/x";
       }},
      {"has no name", [](MadeMember& m) { m.name = ""; }},
      {"is there twice", [](MadeMember& m) { m.name = "demo/__init__.py"; }},
      {"both as a file and as a folder", [](MadeMember& m) { m.name = "demo/__init__.py/x"; }},
      {"is encrypted", [](MadeMember& m) { m.flags = 1; }},
      {"by method 12", [](MadeMember& m) { m.method = 12; }},
      {"does not match its CRC", [](MadeMember& m) { m.crc32 = 1; }},
      {"does not match its CRC", [](MadeMember& m) { m.crc32 = 1; }, 3000000},
      {"does not match its CRC",
       [](MadeMember& m) {
         m.crc32 = 1;
         m.method = 0;
       }},
      {"does not match its CRC",
       [](MadeMember& m) {
         m.crc32 = 1;
         m.method = 0;
       },
       3000000},
      {"just the size it claims", [](MadeMember& m) { m.size_bytes = 2999; }},
      {"just the size it claims", [](MadeMember& m) { m.size_bytes = 3001; }},
      {"just the size it claims", [](MadeMember& m) { m.size_bytes = 2999999; }, 3000000},
      {"just the size it claims", [](MadeMember& m) { m.size_bytes = 3000001; }, 3000000},
      {"just the size it claims", [](MadeMember& m) { m.size_bytes = 2 * 1048576; }, 3 * 1048576},
      {"more than deflate can", [](MadeMember& m) { m.size_bytes = 1u << 30; }},
      {"its two sizes differ",
       [](MadeMember& m) {
         m.method = 0;
         m.size_bytes = 2;
       }},
      {"belong to no member",
       [](MadeMember& m) {
         m.raw = std::string("\x03\0\0\0", 4);
         m.text = "";
         m.compressed_bytes = 2;
       }},
      {"does not end where",
       [](MadeMember& m) {
         m.raw = std::string("\x03\0\0\0", 4);
         m.text = "";
       }},
      {"not valid deflate", [](MadeMember& m) { m.raw = std::string(600, '\xff'); }},
      {"not valid deflate", [](MadeMember& m) { m.raw = std::string(70000, '\xff'); }, 3000000},
      {"another name", [](MadeMember& m) { m.local_name = "demo/evil.txt"; }},
      {"another method", [](MadeMember& m) { m.local_method = 0; }},
      {"other flags", [](MadeMember& m) { m.local_flags = 1 << 11; }},
      {"other sizes", [](MadeMember& m) { m.local_size = 3; }},
      {"other sizes", [](MadeMember& m) { m.local_compressed = 3; }},
      {"another CRC", [](MadeMember& m) { m.local_crc32 = 3; }},
      {"data descriptor",
       [](MadeMember& m) {
         m.descriptor = Descriptor::Marked;
         m.descriptor_crc32 = 5;
       }},
      {"data descriptor", [](MadeMember& m) { m.flags = 8; }},
      {"overlaps", [](MadeMember& m) { m.offset = 0; }},
      {"reaches into the directory",
       [](MadeMember& m) {
         m.compressed_bytes = 1u << 20;
         m.size_bytes = 1u << 20;
       }},
      {"reaches into the directory",
       [](MadeMember& m) {
         m.zip64 = true;
         m.offset = UINT64_MAX - 5;
       }},
      {"reaches into the directory",
       [](MadeMember& m) {
         m.zip64 = true;
         m.compressed_bytes = UINT64_MAX - 5;
       }},
      {"is a folder with contents", [](MadeMember& m) { m.name = "demo/folder/"; }},
  };
  for (const Case& c : cases) {
    INFO(c.fault);
    MadeZip zip = wheel_with(c.change, c.size);
    const std::string fault = fixture.fault_of(zip);
    CHECK_MESSAGE(fault.find(c.fault) != std::string::npos, fault);
    CHECK(fault.starts_with("wheel `demo-1.0-py3-none-any.whl` "));
    CHECK(fault.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("archives that are not whole or not one are refused") {
  Fixture fixture;
  const auto kept = [](MadeMember&) {};
  const auto changed = [&](void (*change)(MadeZip&)) {
    MadeZip zip = wheel_with(kept);
    change(zip);
    return fixture.fault_of(zip);
  };
  CHECK(changed([](MadeZip& z) { z.before = "#!/bin/sh\n"; }).find("does not begin where") !=
        std::string::npos);
  CHECK(changed([](MadeZip& z) { z.after = "more"; }).find("goes on after its end") !=
        std::string::npos);
  CHECK(changed([](MadeZip& z) { z.comment = "hello"; }).find("goes on after its end") !=
        std::string::npos);
  CHECK(changed([](MadeZip& z) { z.between = "hidden"; }).find("belong to no member") !=
        std::string::npos);
  CHECK(changed([](MadeZip& z) { z.count = 3; }).find("end record says 3") != std::string::npos);
  CHECK(changed([](MadeZip& z) { z.members.clear(); }).find("`.dist-info`") != std::string::npos);

  const std::string whole = make_zip(wheel_with(kept));
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 20) {
    CHECK(fixture.fault_of(whole.substr(0, size)) != "");
  }
  // Any one byte changed: an error or a layer, never a crash; the CRC or a check sees nearly all.
  std::size_t unseen = 0;
  for (std::size_t i = 0; i < whole.size(); i += 3) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x41);
    if (fixture.fault_of(bytes).empty()) ++unseen;
  }
  CHECK(unseen < 120);  // times, versions and attributes may say what they like
}

TEST_CASE("a bomb is refused before anything is written") {
  Fixture fixture;
  MadeZip zip = make_wheel("demo", "1.0", {});
  const std::string zeros(20000000, '\0');
  for (int i = 0; i < 60; ++i) {
    MadeMember bomb = member(fmt::format("demo/{}", i), zeros);
    zip.members.insert(zip.members.begin(), bomb);
    if (i > 0) zip.members[0].raw = zip.members[1].raw;
    if (i == 0) {
      const std::string bytes = make_zip(MadeZip{{bomb}, {}, {}, {}, {}, false, {}});
      const std::size_t header = 30 + bomb.name.size();
      zip.members[0].raw = bytes.substr(header, bytes.size() - header - 22 - 46 - bomb.name.size());
    }
    zip.members[0].text.clear();
    zip.members[0].crc32 = 0;
    zip.members[0].size_bytes = zeros.size();
  }
  CHECK(fixture.fault_of(zip).find("looks like a bomb") != std::string::npos);
}

TEST_CASE("a file that is not the one of the lock is said to be that") {
  Fixture fixture;
  std::string bytes = make_zip(wheel_with([](MadeMember&) {}));
  WheelInput input = write_wheel(fixture.folder.path(), "demo", "1.0", bytes);
  SilentReporter reporter;
  const auto message = [&] {
    return build_wheel_layer(std::vector{input}, {}, nullptr, nullptr, reporter, {})
        .error()
        .message;
  };
  input.sha256.value[3] ^= 1;
  CHECK(message().find("not the file that the lock names") != std::string::npos);
  input.size_bytes += 1;
  CHECK(message().find("where the lock says") != std::string::npos);
  input.path += ".gone";
  CHECK(build_wheel_layer(std::vector{input}, {}, nullptr, nullptr, reporter, {}).error().kind ==
        ErrorKind::NotFound);
}
