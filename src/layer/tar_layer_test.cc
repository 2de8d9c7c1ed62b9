#include "layer/tar_layer.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "layer/stargz_toc.h"
#include "layer/testing/wheel_maker.h"

using namespace slipway;
using namespace slipway::layer;
using namespace slipway::layer::testing;

namespace {

Entry file(std::string path, std::string text, unsigned mode = 0644) {
  return {std::move(path), EntryKind::File, mode, 0, 0, {}, std::move(text)};
}
Entry link_to(std::string path, std::string target, EntryKind kind = EntryKind::Link) {
  return {std::move(path), kind, 0644, 0, 0, std::move(target), {}};
}

struct Fixture {
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-tar").value();

  std::string fault_of(std::vector<Entry> entries) {
    StringSink sink;
    const auto facts = write_layer(std::move(entries), sink, nullptr);
    if (facts.ok()) return {};
    CHECK(facts.error().kind == ErrorKind::InvalidInput);
    return facts.error().message;
  }
};

}  // namespace

TEST_CASE("GNU tar unpacks a layer to the same tree") {
  Fixture fixture;
  const std::string host = fixture.folder.path() + "/host-file";
  write_file(host, made_text(1, 2500000)).value();
  const std::string deep = std::string(120, 'd') + "/" + std::string(120, 'e');
  const std::vector<Entry> entries{file("usr/bin/tool", "#!/bin/sh\n", 04755),
                                   file("etc/config", "x\n", 0600),
                                   file("etc/\xc3\xa4", "name\n"),
                                   file(deep, "deep\n"),
                                   {"var/large", EntryKind::File, 0640, 0, 0, {}, HostFile{host}},
                                   {"var/tmp", EntryKind::Folder, 01777, 0, 0, {}, {}},
                                   link_to("bin", "usr/bin"),
                                   link_to("far", std::string(150, 'x')),
                                   link_to("etc/config.again", "etc/config", EntryKind::HardLink),
                                   link_to("etc/a-config", "etc/config", EntryKind::HardLink)};
  const TemporaryFolder tree = TemporaryFolder::create(fixture.folder.path(), "tree").value();
  StringSink blob;
  const LayerFacts facts = write_layer(entries, blob, &tree.path()).value();
  CHECK(sha256(blob.text) == facts.digest);
  const std::string path = fixture.folder.path() + "/layer.tar.gz";
  write_file(path, blob.text).value();
  const TemporaryFolder copy = TemporaryFolder::create(fixture.folder.path(), "copy").value();
  run_for_output({"tar", "-xpzf", path, "-C", copy.path()}).value();
  for (const std::string_view name : {kTocName, kNoPrefetchName}) {
    remove_file(copy.path() + "/" + std::string(name)).value();  // of the archive's own
  }
  run_for_output({"diff", "-r", "--no-dereference", copy.path(), tree.path()}).value();
  const auto facts_of = [](const std::string& root) {
    ProcessOptions options;
    options.working_folder = root;
    std::string list =
        run_for_output({"find", ".", "-mindepth", "1", "-printf", "%P %m %T@ %l %n\n"}, options)
            .value();
    return run_for_output({"sort"}, {list, {}, {}, {}}).value();
  };
  CHECK(facts_of(copy.path()) == facts_of(tree.path()));
  CHECK(facts_of(tree.path()).find("usr/bin/tool 4755 315532800.0000000000  1\n") !=
        std::string::npos);
  CHECK(facts_of(tree.path()).find("var/tmp 1777") != std::string::npos);
  CHECK(facts_of(tree.path()).find("etc/config.again 600 315532800.0000000000  3\n") !=
        std::string::npos);

  // The order of the entries does not matter.
  StringSink again;
  const LayerFacts same = write_layer({entries.rbegin(), entries.rend()}, again, nullptr).value();
  CHECK(same == facts);
}

TEST_CASE("the bytes of layout 3") {
  StringSink blob;
  const LayerFacts facts =
      write_layer({file("etc/os-release", "ID=demo\n"), link_to("lib", "usr/lib"),
                   file("usr/lib/" + std::string(200, 'x'), made_text(4, 100000))},
                  blob, nullptr)
          .value();
  CHECK(facts.diff_id.hex() == "35dbd7b72ec071c3c51940841f2cfa6f82937716040fdcaea5a7b0ba6d35c789");
  CHECK(facts.digest.hex() == "220add3e8598e9fbea0577e680c668bfe608f976276667735e973208c3e46766");
}

TEST_CASE("what no tree can be is refused") {
  Fixture fixture;
  const auto has = [&](std::vector<Entry> entries, std::string_view part) {
    const std::string fault = fixture.fault_of(std::move(entries));
    return fault.find(part) != std::string::npos;
  };
  for (const char* path : {"", "/etc", "a//b", "a/", "../a", "a/../b", "./a", "."}) {
    INFO(path);
    CHECK(has({file(path, "")}, "no path inside the image"));
  }
  CHECK(has({file("a", ""), file("a", "")}, "there twice"));
  CHECK(has({file("a", ""), file("a/b", "")}, "`a` is no folder"));
  CHECK(has({link_to("a", "/etc"), file("a/b", "")}, "`a` is no folder"));
  CHECK(has({link_to("a", "b", EntryKind::HardLink)}, "no file to link to"));
  CHECK(has({link_to("a", "")}, "link to nothing"));
  CHECK(has({{"a", EntryKind::File, 0644, 0, 0, {}, HostFile{"/dev/null"}}}, "is no file"));
  CHECK(fixture.fault_of({}) == "");
}
