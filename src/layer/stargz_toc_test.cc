#include "layer/stargz_toc.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "layer/tar_layer.h"
#include "layer/testing/tar_maker.h"
#include "layer/testing/wheel_maker.h"

using namespace slipway;
using namespace slipway::layer;
using namespace slipway::layer::testing;

namespace {

MadeMember member(std::string name, std::string text) {
  MadeMember made;
  made.name = std::move(name);
  made.text = std::move(text);
  return made;
}

/// What a lazy puller does: the footer, the table, then each file by its offset.
struct Stargz {
  std::string blob;
  std::string table;

  explicit Stargz(std::string bytes) : blob(std::move(bytes)) {
    const std::string footer = blob.substr(blob.size() - kStargzFooterBytes);
    REQUIRE(footer.substr(32, 6) == "STARGZ");
    const std::uint64_t offset = std::stoull(footer.substr(16, 16), nullptr, 16);
    const std::string tar = unpack(std::string_view(blob).substr(offset));
    REQUIRE(tar.starts_with(kTocName));
    table = tar.substr(kTarBlock, std::stoull(tar.substr(124, 11), nullptr, 8));
  }

  std::string member(std::string_view entry, std::string_view name) const {
    const std::size_t begin = entry.find(fmt::format("\"{}\":", name));
    if (begin == std::string_view::npos) return {};
    std::string_view rest = entry.substr(begin + name.size() + 3);
    return std::string(rest.substr(0, rest.find_first_of(",}")));
  }

  std::string entry(std::string_view name) const {
    const std::size_t begin = table.find(fmt::format("{{\"name\":\"{}\"", name));
    if (begin == std::string::npos) return {};
    return table.substr(begin, table.find('}', begin) - begin + 1);
  }

  std::string contents(std::string_view name) const {
    const std::string found = entry(name);
    const std::string size = member(found, "size");
    if (size.empty()) return {};
    const std::string rest =
        unpack(std::string_view(blob).substr(std::stoull(member(found, "offset"))));
    const std::string bytes = rest.substr(0, std::stoull(size));
    CHECK(member(found, "digest") == "\"" + sha256(bytes).text() + "\"");
    CHECK(member(found, "chunkDigest") == "\"" + sha256(bytes).text() + "\"");
    return bytes;
  }
};

}  // namespace

TEST_CASE("every file of a layer is found by the table of contents at its end") {
  const std::string large = made_text(3, 300'000);
  const std::vector<Entry> entries{
      {"etc/a", EntryKind::File, 0600, 7, 8, {}, std::string("first\n")},
      {"etc/b", EntryKind::File, 0644, 0, 0, {}, std::string("second\n")},
      {"etc/empty", EntryKind::File, 0644, 0, 0, {}, std::string()},
      {"etc/link", EntryKind::Link, 0644, 0, 0, "a", {}},
      {"etc/z", EntryKind::HardLink, 0644, 0, 0, "etc/b", {}},
      {"usr/large", EntryKind::File, 04755, 0, 0, {}, large}};
  StringSink blob;
  const LayerFacts facts = write_layer(entries, blob, nullptr).value();
  const Stargz stargz(blob.text);
  CHECK(facts.toc == sha256(stargz.table));
  CHECK(facts.tar_bytes == unpack(blob.text).size());
  CHECK(stargz.contents("etc/a") == "first\n");
  CHECK(stargz.contents("etc/b") == "second\n");
  CHECK(stargz.contents("usr/large") == large);
  CHECK(stargz.contents(kNoPrefetchName) == "\x0f");
  CHECK(stargz.entry("etc/a").find("\"mode\":384,\"uid\":7,\"gid\":8") != std::string::npos);
  CHECK(stargz.entry("etc/").find("\"type\":\"dir\"") != std::string::npos);
  CHECK(stargz.entry("etc/empty").find("offset") == std::string::npos);
  CHECK(stargz.entry("etc/link").find("\"linkName\":\"a\"") != std::string::npos);
  CHECK(stargz.entry("etc/z").find("\"type\":\"hardlink\"") != std::string::npos);
  CHECK(stargz.entry(kTocName).empty());
}

TEST_CASE("the table of a wheel's layer is the same where nothing was inflated") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-stargz").value();
  const std::vector<WheelInput> wheels{write_wheel(
      folder.path(), "big", "1",
      make_zip(make_wheel("big", "1",
                          {member("big/lib.so", made_text(5, 3'000'000)),
                           member("big/mid.py", made_text(6, 20'000)),
                           member("big/tiny.py", "x = 1\n"), member("big/__init__.py", "")})))};
  StringSink built, spliced;
  SilentReporter reporter;
  const LayerFacts facts = build_wheel_layer(wheels, {}, nullptr, &built, reporter, {}).value();
  CHECK(splice_wheel_layer(wheels, {}, spliced, reporter, {}).value().digest == facts.digest);
  CHECK(spliced.text == built.text);
  const Stargz stargz(built.text);
  CHECK(facts.toc == sha256(stargz.table));
  const std::string place = "opt/venv/lib/python3.11/site-packages/big/";
  CHECK(stargz.contents(place + "lib.so") == made_text(5, 3'000'000));
  CHECK(stargz.contents(place + "mid.py") == made_text(6, 20'000));
  CHECK(stargz.contents(place + "tiny.py") == "x = 1\n");
  CHECK(stargz.contents("opt/venv/lib/python3.11/site-packages/big-1.dist-info/INSTALLER") ==
        "slipway\n");
}

TEST_CASE("a layer with a path that JSON cannot tell has no table") {
  StringSink blob;
  const LayerFacts facts =
      write_layer({{"etc/\xff", EntryKind::File, 0644, 0, 0, {}, std::string("x")}}, blob, nullptr)
          .value();
  CHECK_FALSE(facts.toc);
  const std::string tar = unpack(blob.text);
  CHECK(sha256(tar) == facts.diff_id);
  CHECK(tar.find(kTocName) == std::string::npos);
  CHECK(tar.find(kNoPrefetchName) == std::string::npos);
}

TEST_CASE("the archive's own names are not for files of the image") {
  for (const std::string_view name : {kTocName, kNoPrefetchName, kPrefetchName}) {
    StringSink blob;
    const auto facts = write_layer(
        {{std::string(name), EntryKind::File, 0644, 0, 0, {}, std::string("x")}}, blob, nullptr);
    CAPTURE(name);
    CHECK_FALSE(facts.ok());
  }
}
