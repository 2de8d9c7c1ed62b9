#include "layer/tar_stream.h"

#include <doctest/doctest.h>

#include "layer/testing/tar_maker.h"

using namespace slipway;
using namespace slipway::layer;
using namespace slipway::layer::testing;

namespace {

/// `path kind size [-> target]`, one a line, or the failure.
std::string listing(const std::string& tar) {
  BytesSource bytes(as_bytes(tar));
  TarStream stream(bytes);
  std::string text;
  for (;;) {
    const auto item = stream.next();
    if (!item.ok()) return text + "! " + item.error().message;
    if (!*item) return text;
    constexpr const char* kKinds[] = {"file", "hard", "link", "folder", "fifo", "device", "other"};
    text += fmt::format("{} {} {}", (*item)->path, kKinds[static_cast<int>((*item)->kind)],
                        (*item)->size_bytes);
    if (!(*item)->target.empty()) text += " -> " + (*item)->target;
    text += '\n';
  }
}

std::string long_name(const std::string& name) { return raw_entry({"././@LongLink", 'L', name}); }

}  // namespace

TEST_CASE("tar stream: what tars of other programs say") {
  struct Case {
    std::string name, tar, expected;
  };
  const Case cases[] = {
      {"nothing at all", "", ""},
      {"only the end", tar_end(), ""},
      {"files", raw_entry({"./a/b", '0', "xyz"}) + raw_entry({"/c", '\0', ""}) + tar_end(),
       "a/b file 3\nc file 0\n"},
      {"no end", raw_entry({"a", '0', "xyz"}), "a file 3\n"},
      {"a folder of old", raw_entry({"d/", '0'}) + tar_end(), "d folder 0\n"},
      {"links", raw_entry({"l", '2', "", "../x"}) + raw_entry({"h", '1', "", "/a//b"}) + tar_end(),
       "l link 0 -> ../x\nh hard 0 -> a/b\n"},
      {"a hard link with a size", raw_entry({"h", '1', "", "a", 0644, 0, 0, 0, "00000000777"}),
       "h hard 0 -> a\n"},
      {"pax", raw_pax({{"path", "long/name"}, {"size", "3"}}) + raw_entry({"x", '0', "abc"}),
       "long/name file 3\n"},
      {"GNU's long name", long_name(std::string(200, 'n') + '\0') + raw_entry({"nnn", '0', "abc"}),
       std::string(200, 'n') + " file 3\n"},
      {"a long name that is cut behind a slash, pax",
       raw_pax({{"path", "a/b"}}) + raw_entry({"a/", '0', "abc"}) + raw_entry({"c"}),
       "a/b file 3\nc file 0\n"},
      {"the same, GNU",
       long_name(std::string("a/b\0", 4)) + raw_entry({"a/", '0', "abc"}) + raw_entry({"c"}),
       "a/b file 3\nc file 0\n"},
      {"a folder of old with a long name",
       raw_pax({{"path", "a/b/"}}) + raw_entry({"a/b", '0'}) + raw_entry({"c"}),
       "a/b folder 0\nc file 0\n"},
      {"a global header is not taken", raw_entry({"g", 'g', "13 path=evil\n"}) + raw_entry({"x"}),
       "x file 0\n"},
      {"a size in base 256",
       raw_entry(
           {"x", '0', "abc", "", 0644, 0, 0, 0, std::string("\x80\0\0\0\0\0\0\0\0\0\0\x03", 12)}),
       "x file 3\n"},
      {"what stands behind the end", raw_entry({"x"}) + tar_end() + raw_entry({"y"}), "x file 0\n"},
      {"a way out", raw_entry({"a/../../b"}), "! has a path that leads outside, `a/../../b`"},
      {"a hard link out", raw_entry({"a", '1', "", "../etc/passwd"}),
       "! has a hard link that leads outside, `../etc/passwd`"},
      {"a way out by pax", raw_pax({{"path", "../b"}}) + raw_entry({"x"}),
       "! has a path that leads outside, `../b`"},
      {"cut in a header", raw_entry({"a"}).substr(0, 100), "! is cut short"},
      {"cut in the contents", raw_entry({"a", '0', std::string(2000, 'x')}).substr(0, 1500),
       "a file 2000\n! is cut short"},
      {"cut behind pax", raw_pax({{"path", "b"}}), "! ends behind a name without its file"},
      {"a size that lies", raw_entry({"a", '0', "x", "", 0644, 0, 0, 0, "77777777777"}),
       "a file 8589934591\n! is cut short"},
      {"a negative size", raw_entry({"a", '0', "x", "", 0644, 0, 0, 0, std::string(12, '\xff')}),
       "! has an entry of a negative size"},
      {"a size beyond all",
       raw_entry({"a", '0', "x", "", 0644, 0, 0, 0, "\x8f" + std::string(11, '\xff')}),
       "! has a number that does not fit"},
      {"a pax bomb", raw_entry({"p", 'x', "", "", 0644, 0, 0, 0, "77777777777"}),
       "! has a name or attributes of more than a megabyte"},
      {"pax that lies about its length", raw_entry({"p", 'x', "99 path=x\n"}),
       "! has pax records that cannot be read"},
      {"a NUL in a path", raw_pax({{"path", std::string("a\0b", 3)}}) + raw_entry({"x"}),
       "! has a path with a NUL"},
      {"a long part", raw_pax({{"path", std::string(256, 'x')}}) + raw_entry({"x"}),
       "! has a path that is too long"},
      {"sparse", raw_entry({"s", 'S'}), "! has a sparse file, which is not read yet"},
      {"no tar", std::string(512, 'x'), "! has a number that is none"},
      {"a flipped bit", "b" + raw_entry({"a"}).substr(1), "! has a header with a wrong checksum"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    CHECK(listing(one.tar) == one.expected);
  }
}

TEST_CASE("tar stream: attributes") {
  const std::string tar =
      raw_pax({{"mtime", "-1.25"},
               {"uid", "70000"},
               {"SCHILY.xattr.security.capability", std::string("\1\0\2", 3)}}) +
      raw_entry({"x", '0', "", "", 04755, 5, 6});
  BytesSource bytes(as_bytes(tar));
  TarStream stream(bytes);
  const TarItem item = *stream.next().value();
  CHECK(item.mode == 04755);
  CHECK(item.uid == 70000);
  CHECK(item.gid == 6);
  CHECK(item.time_seconds == -2);
  CHECK(item.time_nanoseconds == 750'000'000);
  CHECK(item.attributes.at("security.capability") == std::string("\1\0\2", 3));
}

TEST_CASE("tar stream: cut at any byte, it never says that all is well") {
  const std::string whole = raw_pax({{"path", "some/name"}}) + raw_entry({"x", '0', "contents"}) +
                            long_name("other") + raw_entry({"y", '0', "more"}) + tar_end();
  for (std::size_t size = 0; size < whole.size() - 1024; ++size) {
    const std::string text = listing(whole.substr(0, size));
    const bool is_between = size == 0 || size == 2048;
    CAPTURE(size);
    CHECK((text.find('!') != std::string::npos) != is_between);
  }
}
