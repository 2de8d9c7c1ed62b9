#include "layer/wheel_layer.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "base/process.h"
#include "layer/entry_points.h"
#include "layer/record_file.h"
#include "layer/stargz_toc.h"
#include "layer/testing/wheel_maker.h"

using namespace slipway;
using namespace slipway::layer;
using namespace slipway::layer::testing;

namespace {

MadeMember member(std::string name, std::string text, unsigned mode = 0100644) {
  MadeMember made;
  made.name = std::move(name);
  made.text = std::move(text);
  made.unix_mode = mode;
  return made;
}

struct Built {
  TemporaryFolder tree;
  std::string blob;
  LayerFacts facts;

  std::string text(const std::string& path) const { return read_file(tree.path() + path).value(); }
  bool has(const std::string& path) const { return path_exists(tree.path() + path); }
  unsigned mode(const std::string& path) const {
    struct stat status;
    REQUIRE(::lstat((tree.path() + path).c_str(), &status) == 0);
    CHECK(status.st_mtime == kLayerTime);
    return status.st_mode & 07777;
  }
};

struct Fixture {
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-wheel").value();
  SilentReporter reporter;

  WheelInput wheel(std::string_view name, std::vector<MadeMember> members,
                   std::string_view entry_points = {}) {
    return write_wheel(folder.path(), name, "1.0",
                       make_zip(make_wheel(name, "1.0", std::move(members), entry_points)));
  }
  Result<Built> build(const std::vector<WheelInput>& wheels) {
    Built built{TemporaryFolder::create(folder.path(), "tree").value(), {}, {}};
    StringSink sink;
    built.facts = TRY(build_wheel_layer(wheels, {}, &built.tree.path(), &sink, reporter, {}));
    built.blob = std::move(sink.text);
    return built;
  }
  std::string tar_of(const Built& built) {
    const std::string path = folder.path() + "/blob.tar.gz";
    write_file(path, built.blob).value();
    return run_for_output({"zcat", path}).value();
  }
};

constexpr const char* kSite = "/opt/venv/lib/python3.11/site-packages/";
constexpr const char* kCommands =
    "[console_scripts]\ndemo = demo.cli:App.run [extra]\n# "
    "remark\n\n[gui_scripts]\ndemo-gui=demo:gui\n"
    "[other]\nnothing = here\n";

std::vector<MadeMember> every_kind() {
  return {member("demo/__init__.py", ""),
          member("demo/module.py", made_text(1, 40000)),
          member("demo/tool.sh", "#!/bin/sh\n", 0100755),
          member("demo/no_type", "x", 0755),
          member("demo/link", "module.py", 0120777),
          member("demo/large.so", made_text(2, 3500000), 0100775),
          member("demo/tiny.txt", "tiny"),
          member("demo-1.0.data/purelib/demo_pure.py", "pure = True\n"),
          member("demo-1.0.data/platlib/demo_plat.py", "plat = True\n"),
          member("demo-1.0.data/scripts/old", "#!python -E\nprint(1)\n", 0100755),
          member("demo-1.0.data/scripts/binary", made_text(3, 2000), 0100755),
          member("demo-1.0.data/scripts/demo", "a wrapper that pip leaves out"),
          member("demo-1.0.data/headers/demo.h", "#pragma once\n"),
          member("demo-1.0.data/data/share/demo/file.json", "{}"),
          member("empty-folder/", "")};
}

}  // namespace

TEST_CASE("a wheel's files land where pip puts them") {
  Fixture fixture;
  const Built built = fixture.build({fixture.wheel("demo", every_kind(), kCommands)}).value();
  const std::string site = kSite;
  CHECK(built.text(site + "demo/module.py") == made_text(1, 40000));
  CHECK(built.text(site + "demo/large.so") == made_text(2, 3500000));
  CHECK(built.text(site + "demo/__init__.py").empty());
  CHECK(built.mode(site + "demo/module.py") == 0644);
  CHECK(built.mode(site + "demo/tool.sh") == 0755);
  CHECK(built.mode(site + "demo/large.so") == 0755);
  CHECK(built.mode(site + "demo/no_type") == 0644);
  CHECK(built.mode(site + "demo") == 0755);
  // pip writes a link's target as a plain file.
  CHECK(built.mode(site + "demo/link") == 0644);
  CHECK(built.text(site + "demo/link") == "module.py");
  CHECK(built.has(site + "demo_pure.py"));
  CHECK(built.has(site + "demo_plat.py"));
  CHECK(built.text("/opt/venv/bin/old") == "#!/opt/venv/bin/python\nprint(1)\n");
  CHECK(built.mode("/opt/venv/bin/old") == 0755);
  CHECK(built.text("/opt/venv/bin/binary") == made_text(3, 2000));
  CHECK(built.mode("/opt/venv/bin/demo") == 0755);
  CHECK(built.text("/opt/venv/bin/demo").starts_with("#!/opt/venv/bin/python\n"));
  CHECK(built.text("/opt/venv/bin/demo").find("from demo.cli import App\n") != std::string::npos);
  CHECK(built.text("/opt/venv/bin/demo").find("sys.exit(App.run())") != std::string::npos);
  CHECK(built.has("/opt/venv/bin/demo-gui"));
  CHECK(built.has("/opt/venv/include/site/python3.11/demo/demo.h"));
  CHECK(built.has("/opt/venv/share/demo/file.json"));
  CHECK_FALSE(built.has(site + "empty-folder"));
  CHECK(built.text(site + "demo-1.0.dist-info/INSTALLER") == "slipway\n");
}

TEST_CASE("RECORD lists every file with its hash and size") {
  Fixture fixture;
  const Built built = fixture.build({fixture.wheel("demo", every_kind(), kCommands)}).value();
  const std::string site = built.tree.path() + kSite;
  const Record record =
      parse_record(built.text(std::string(kSite) + "demo-1.0.dist-info/RECORD")).value();
  std::size_t files = 0;
  const std::string listing = run_for_output({"find", built.tree.path(), "-type", "f"}).value();
  files = static_cast<std::size_t>(std::count(listing.begin(), listing.end(), '\n'));
  CHECK(record.size() == files);
  for (const auto& [path, row] : record) {
    INFO(path);
    const Result<std::string> text = read_file(site + path);
    REQUIRE(text.ok());
    if (path == "demo-1.0.dist-info/RECORD") {
      CHECK(row.hash.empty());
      continue;
    }
    CHECK(row.hash == make_record_row(*text).hash);
    CHECK(row.size == make_record_row(*text).size);
  }
  CHECK(record.contains("../../../bin/demo"));
}

TEST_CASE("the blob is the tar of the tree, and can be spliced again") {
  Fixture fixture;
  const WheelInput demo = fixture.wheel("demo", every_kind(), kCommands);
  const WheelInput other = fixture.wheel("other", {member("other.py", made_text(9, 9000))});
  const Built built = fixture.build({demo, other}).value();
  CHECK(sha256(built.blob) == built.facts.digest);
  CHECK(built.blob.size() == built.facts.size_bytes);
  const std::string tar = fixture.tar_of(built);
  CHECK(sha256(tar) == built.facts.diff_id);
  CHECK(tar.size() % 512 == 0);
  CHECK(tar.ends_with(std::string(1024, '\0')));

  const std::string path = fixture.folder.path() + "/layer.tar";
  write_file(path, tar).value();
  const TemporaryFolder copy = TemporaryFolder::create(fixture.folder.path(), "copy").value();
  run_for_output({"tar", "-xpf", path, "-C", copy.path()}).value();
  for (const std::string_view name : {kTocName, kNoPrefetchName}) {
    remove_file(copy.path() + "/" + std::string(name)).value();  // of the archive's own
  }
  run_for_output({"diff", "-r", copy.path(), built.tree.path()}).value();

  // The order in which the wheels are given does not matter; nor does unpacking.
  const auto again =
      build_wheel_layer(std::vector{other, demo}, {}, nullptr, nullptr, fixture.reporter, {});
  CHECK(again.value() == built.facts);
  StringSink sink;
  const auto spliced = splice_wheel_layer(std::vector{demo, other}, {}, sink, fixture.reporter, {});
  CHECK(spliced.value().digest == built.facts.digest);
  CHECK(spliced.value().size_bytes == built.facts.size_bytes);
  CHECK((sink.text == built.blob));
}

TEST_CASE("files of every size are in the diff_id, in their order") {
  Fixture fixture;
  const std::string huge = made_text(7, DirectWriter::kObservedBytes + 12'345);
  const WheelInput demo = fixture.wheel(
      "demo", {member("demo/a.so", huge), member("demo/b.py", made_text(8, 3000)),
               member("demo/c.so", huge), member("demo/d.so", made_text(9, 2'000'000))});
  const Built built = fixture.build({demo}).value();
  CHECK(sha256(fixture.tar_of(built)) == built.facts.diff_id);
  CHECK(sha256(built.blob) == built.facts.digest);
  CHECK((built.text(std::string(kSite) + "demo/c.so") == huge));
  // Without a tree it is hashed by one thread.
  CHECK(build_wheel_layer(std::vector{demo}, {}, nullptr, nullptr, fixture.reporter, {}).value() ==
        built.facts);
}

TEST_CASE("what is made of the wheels follows their files") {
  Fixture fixture;
  const WheelInput demo = fixture.wheel(
      "demo", {member("demo/a.py", "x = 1\n"), member("demo/b.py", "y = 2\n"),
               member("demo/c/__pycache__", "a file"), member("demo/c/d.py", "z = 3\n"),
               member("demo/__pycache__/a.cpython-39.pyc", "of another Python"),
               member("demo/sourceless.pyc", "stays")});
  const std::string site = std::string(kSite).substr(1);
  const TemporaryFolder tree = TemporaryFolder::create(fixture.folder.path(), "tree").value();
  const std::string kept = fixture.folder.path() + "/b.pyc";
  write_file(kept, "b").value();
  StringSink blob;
  WheelLayer half =
      WheelLayer::begin(std::vector{demo}, {}, tree.path(), &blob, fixture.reporter, {}).value();
  CHECK(read_file(tree.path() + kSite + "demo/b.py").value() == "y = 2\n");
  std::vector<Entry> further(3);
  further[0].path = site + "demo/__pycache__/b.cpython-311.pyc";
  further[0].content = HostFile{kept};
  further[1].path = site + "demo/__pycache__/a.cpython-311.pyc";
  further[1].content = std::string("a");
  further[2].path = site + "demo/c/__pycache__/d.cpython-311.pyc";  // where a file is
  const LayerFacts facts = half.finish(further).value();
  CHECK(facts.digest == sha256(blob.text));
  const std::string path = fixture.folder.path() + "/blob.tar.gz";
  write_file(path, blob.text).value();
  const std::string list = run_for_output({"tar", "-tzf", path}).value();
  CHECK(list.find("/demo/__pycache__/\n" + site + "demo/__pycache__/a.cpython-311.pyc\n" + site +
                  "demo/__pycache__/b.cpython-311.pyc\n") != std::string::npos);
  CHECK(list.find("cpython-39") == std::string::npos);
  CHECK(list.find("sourceless.pyc") != std::string::npos);
  CHECK(list.find("d.cpython-311") == std::string::npos);
  CHECK(read_file(tree.path() + kSite + "demo/__pycache__/b.cpython-311.pyc").value() == "b");
  CHECK(read_file(tree.path() + kSite + "demo-1.0.dist-info/RECORD").value().find("cpython-39") ==
        std::string::npos);

  struct stat folder;
  REQUIRE(::stat((tree.path() + kSite + "demo").c_str(), &folder) == 0);
  CHECK(folder.st_mtime == kLayerTime);
  // Nothing further: the same as in one step.
  const TemporaryFolder other = TemporaryFolder::create(fixture.folder.path(), "tree").value();
  WheelLayer bare =
      WheelLayer::begin(std::vector{demo}, {}, other.path(), nullptr, fixture.reporter, {}).value();
  CHECK(bare.finish({}).value() ==
        build_wheel_layer(std::vector{demo}, {}, nullptr, nullptr, fixture.reporter, {}).value());
}

TEST_CASE("the bytes of layout 5") {
  // A change here moves every user's layers: raise kLayoutVersion with it.
  Fixture fixture;
  const Built one = fixture.build({fixture.wheel("demo", every_kind(), kCommands)}).value();
  CHECK(one.facts.diff_id.hex() ==
        "400d954358847a56ad27440f32996ab5544b884b76ce1f4cf4e90b88614e67f9");
  CHECK(one.facts.digest.hex() ==
        "670d9eeeb7db50db9e83719aa3bede01a1806bd92ae79cad871599f7b1755dad");
  MadeMember deep = member(
      std::string(90, 'a') + "/" + std::string(90, 'b') + "/" + std::string(90, 'c'), "deep");
  const Built two = fixture.build({fixture.wheel("deep", {deep})}).value();
  CHECK(two.facts.diff_id.hex() ==
        "b93475093cf4b5a130e732c73fd0ee1ebddb78d6d3760b6ebe0689e5f4c6a928");
}

TEST_CASE("one path of two wheels: the same bytes are shared, others refused") {
  Fixture fixture;
  const WheelInput a =
      fixture.wheel("a", {member("nvidia/__init__.py", ""), member("nvidia/a", "a")});
  const WheelInput b =
      fixture.wheel("b", {member("nvidia/__init__.py", ""), member("nvidia/b", "b")});
  const WheelInput c = fixture.wheel("c", {member("nvidia/__init__.py", "# other\n")});
  const WheelInput d = fixture.wheel("d", {member("nvidia", "a file")});
  const Built built = fixture.build({a, b}).value();
  CHECK(built.has(std::string(kSite) + "nvidia/a"));
  CHECK(built.has(std::string(kSite) + "nvidia/b"));
  CHECK(run_for_output({"diff", "-r", built.tree.path(), built.tree.path()}).ok());

  const Error contents = fixture.build({a, c}).error();
  CHECK(contents.kind == ErrorKind::InvalidInput);
  CHECK(contents.message == "`a` and `c` do not go together");
  REQUIRE(contents.because.size() == 1);
  CHECK(contents.because[0].find("/opt/venv/lib/python3.11/site-packages/nvidia/__init__.py") !=
        std::string::npos);
  CHECK(fixture.build({a, d}).error().because[0].find("once as a folder") != std::string::npos);
  const auto paths = list_wheel(a, {}).value();
  CHECK(std::is_sorted(paths.begin(), paths.end(),
                       [](const auto& x, const auto& y) { return x.path < y.path; }));
}

TEST_CASE("what a wheel must have") {
  Fixture fixture;
  const auto message = [&](MadeZip zip, std::string_view name = "demo") {
    const WheelInput input = write_wheel(fixture.folder.path(), name, "1.0", make_zip(zip));
    const auto built = fixture.build({input});
    return built.ok() ? std::string() : built.error().message;
  };
  const auto has = [](const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  };
  const MadeZip good = make_wheel("demo", "1.0", {member("demo.py", "x")});
  CHECK(message(good) == "");
  CHECK(has(message(good, "other"), "is not of package `other`"));
  MadeZip zip = good;
  zip.members.push_back(member("more-2.dist-info/METADATA", ""));
  CHECK(has(message(zip), "has 2 `.dist-info` folders"));
  for (const char* file : {"WHEEL", "RECORD"}) {
    zip = good;
    std::erase_if(zip.members, [&](const MadeMember& m) { return m.name.ends_with(file); });
    CHECK(has(message(zip), file));
  }
  zip = good;
  zip.members[2].text = "Wheel-Version: 2.0\n";
  CHECK(has(message(zip), "Wheel-Version other than 1"));
  zip = make_wheel("demo", "1.0", {member("demo-1.0.data/strange/x", "")});
  CHECK(has(message(zip), "in no scheme"));
  zip = make_wheel("demo", "1.0",
                   {member("demo.py", "x"), member("demo-1.0.data/purelib/demo.py", "y")});
  CHECK(has(message(zip), "puts both"));
  zip = make_wheel("demo", "1.0", {}, "[console_scripts]\nx = demo:main()\n");
  CHECK(has(message(zip), "names no function"));
  zip = make_wheel("demo", "1.0", {}, "[console_scripts]\n../x = demo:main\n");
  CHECK(has(message(zip), "names no function"));
  zip = good;
  zip.members[0].text = "y";  // RECORD has the hash of "x"
  CHECK(has(message(zip), "hash in RECORD"));
  zip = make_wheel("demo", "1.0", {member("demo.so", made_text(1, 50'000))});
  zip.members[0].text =
      made_text(2, 50'000);  // copied as it is compressed, and checked all the same
  CHECK(has(message(zip), "hash in RECORD"));
  zip = good;
  std::string& record = zip.members.back().text;
  REQUIRE(record.find("sha256=") != std::string::npos);
  record[record.find("sha256=") + 7] = '!';  // no hash that could be one
  CHECK(has(message(zip), "hash in RECORD"));
}

TEST_CASE("a cancel stops the build") {
  Fixture fixture;
  CancelToken cancel;
  cancel.cancel();
  const auto wheels = std::vector{fixture.wheel("demo", every_kind())};
  const auto result = build_wheel_layer(wheels, {}, nullptr, nullptr, fixture.reporter, cancel);
  CHECK(result.error().kind == ErrorKind::Cancelled);
}

TEST_CASE("commands of pip fit this Python") {
  const Commands pip{
      {"pip", {"p", "m"}}, {"pip3", {"p", "m"}}, {"pip3.9", {"p", "m"}}, {"pipx", {"q", "m"}}};
  std::vector<std::string> names;
  for (const auto& [name, entry] : fit_versioned_commands(pip, 3, 11)) names.push_back(name);
  CHECK(names == std::vector<std::string>{"pip", "pip3", "pip3.11", "pipx"});
}

TEST_CASE("RECORD's quotes are read and written") {
  const Record record = parse_record("\"a,b\"\"c\",sha256=x,1\r\nplain,,\n").value();
  CHECK(record.at("a,b\"c").hash == "sha256=x");
  CHECK(record.contains("plain"));
  CHECK(parse_record(write_record(record)).value().size() == 2);
  CHECK_FALSE(parse_record("\"open,,\n").ok());
}
