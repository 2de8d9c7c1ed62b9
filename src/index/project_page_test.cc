#include "index/project_page.h"

#include <doctest/doctest.h>

namespace slipway::index {
namespace {

constexpr const char* kUrl = "https://index.example/simple/a/";
const std::string kHash(64, 'a');

}  // namespace

TEST_CASE("a page of the JSON form") {
  const auto parsed = parse_project_page(
      R"({"meta": {"api-version": "1.1", "files": []}, "name": "a", "versions": ["1.0"], "files": [
        {"filename": "a-1.0.tar.gz", "url": "a-1.0.tar.gz", "hashes": {}},
        {"filename": "a-1.0-py3-none-any.whl", "url": "../../f/a-1.0-py3-none-any.whl#x",
         "hashes": {"md5": "00", "sha256": ")" +
          kHash +
          R"("}, "size": 12345678901, "upload-time": "2024-05-01T12:34:56.789123Z", "requires-python": ">=3.9",
         "yanked": "too \"old\"", "core-metadata": {"sha256": ")" +
          kHash + R"("}, "extra": {"url": "no", "filename": ["no"]}},
        {"filename": "a-2.0-py3-none-any.whl", "url": "https://files.example/a-2.0-py3-none-any.whl",
         "hashes": {"sha256": "short"}, "yanked": true, "core-metadata": false, "size": null, "upload-time": "soon"},
        {"filename": "a-3.0-py3-none-any.whl", "url": "https://files.example/a-3.0-py3-none-any.whl",
         "hashes": {}, "yanked": false, "data-dist-info-metadata": true}
      ]})",
      kUrl);
  REQUIRE(parsed.ok());
  CHECK(parsed.value().has_other_files);
  REQUIRE(parsed.value().wheels.size() == 3);
  const auto& wheels = parsed.value().wheels;
  const Digest hash = parse_digest(kHash).value();
  CHECK(wheels[0] == WheelFile{"a-1.0-py3-none-any.whl",
                               "https://index.example/f/a-1.0-py3-none-any.whl", 12345678901ULL,
                               hash, ">=3.9", true, "too \"old\"", MetadataFile::Present, hash,
                               parse_utc_time("2024-05-01T12:34:56.789Z").value()});
  CHECK(wheels[1].is_yanked);
  CHECK_FALSE(wheels[1].sha256);
  CHECK_FALSE(wheels[1].size_bytes);
  CHECK_FALSE(wheels[1].uploaded);
  CHECK(wheels[1].metadata_file == MetadataFile::Absent);
  CHECK_FALSE(wheels[2].is_yanked);
  CHECK(wheels[2].metadata_file == MetadataFile::Present);
  CHECK_FALSE(wheels[2].metadata_sha256);
}

TEST_CASE("names and URLs that would do harm are left out") {
  const auto page = [](const std::string& name, const std::string& url) {
    return R"({"files": [{"filename": ")" + name + R"(", "url": ")" + url + R"("}]})";
  };
  CHECK(parse_project_page(page("a-1-py3-none-any.whl", "x.whl"), kUrl).value().wheels.size() == 1);
  const std::pair<std::string, std::string> cases[] = {
      {"../a-1-py3-none-any.whl", "x.whl"},
      {"/etc/a.whl", "x.whl"},
      {"..\\\\a.whl", "x.whl"},
      {"a\\nb.whl", "x.whl"},
      {".whl", "x.whl"},
      {std::string(300, 'a') + ".whl", "x.whl"},
      {"a-1-py3-none-any.whl", "file:///x.whl"},
      {"a-1-py3-none-any.whl", ""},
      {"a-1-py3-none-any.whl", "http://a b"},
  };
  for (const auto& [name, url] : cases) {
    CAPTURE(name);
    CAPTURE(url);
    const auto parsed = parse_project_page(page(name, url), kUrl);
    REQUIRE(parsed.ok());
    CHECK(parsed.value().wheels.empty());
  }
}

TEST_CASE("what is no page is refused") {
  const std::pair<std::string, ErrorKind> cases[] = {
      {"", ErrorKind::Corrupt},
      {"<!DOCTYPE html><html></html>", ErrorKind::Corrupt},
      {"{\"files\": [", ErrorKind::Corrupt},
      {"{}", ErrorKind::Corrupt},
      {"[]", ErrorKind::Corrupt},
      {"{\"files\": 1}", ErrorKind::Corrupt},
      {std::string(100'000, '['), ErrorKind::Corrupt},
      {"{\"files\": [\"\xff\xfe\"]}", ErrorKind::Corrupt},
      {R"({"meta": {"api-version": "2.0"}, "files": []})", ErrorKind::Unsupported},
  };
  for (const auto& [text, kind] : cases) {
    CAPTURE(text.substr(0, 40));
    const auto parsed = parse_project_page(text, kUrl);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().kind == kind);
  }
}

}  // namespace slipway::index
