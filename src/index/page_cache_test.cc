#include "index/page_cache.h"

#include <doctest/doctest.h>

#include "base/file.h"

namespace slipway::index {
namespace {

CachedPage make_page() {
  const Digest hash = sha256("x");
  CachedPage page{"https://h/simple/a/", "\"tag\"", std::chrono::seconds(600), {}};
  page.page.has_other_files = true;
  page.page.wheels = {
      {"a-1-py3-none-any.whl", "https://h/f/a-1-py3-none-any.whl", 5, hash, ">=3.9,<4", true,
       "a reason", MetadataFile::Present, hash, UtcTime(std::chrono::milliseconds(1700000000123))},
      {"a-2-py3-none-any.whl",
       "https://h/f/odd?name",
       {},
       {},
       "",
       false,
       "",
       MetadataFile::Unknown,
       {},
       {}},
      {"a-3-py3-none-any.whl",
       "https://h/f/a-3-py3-none-any.whl",
       0,
       hash,
       "",
       false,
       "",
       MetadataFile::Absent,
       {},
       {}},
  };
  return page;
}

}  // namespace

TEST_CASE("a page comes back as it went in") {
  const CachedPage page = make_page();
  const auto back = parse_page(write_page(page));
  REQUIRE(back);
  CHECK(*back == page);
  const CachedPage empty{"u", "", std::chrono::seconds(0), {}};
  REQUIRE(parse_page(write_page(empty)));
  CHECK(*parse_page(write_page(empty)) == empty);
}

TEST_CASE("tabs and newlines from the index do no harm") {
  CachedPage page = make_page();
  page.etag = "\"a\nb\"";
  page.page.wheels[0].requires_python = ">=3\t,<4";
  page.page.wheels[0].yanked_reason = "a\nend\n";
  const auto back = parse_page(write_page(page));
  REQUIRE(back);
  CHECK(back->page.wheels[0].yanked_reason == "a end ");
  CHECK(back->page.wheels.size() == 3);
}

TEST_CASE("each cut, and each changed byte, is a miss or a page; never a crash") {
  const std::string text = write_page(make_page());
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_page(text.substr(0, size)));
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'\n', '\t', '\0', '9', 'z'}) {
      std::string changed = text;
      changed[at] = c;
      (void)parse_page(changed);
    }
  }
}

TEST_CASE("cache files are replaced, dated and missing") {
  auto folder = TemporaryFolder::create("/tmp", "page-cache").value();
  const std::string path = folder.path() + "/projects/a";
  CHECK_FALSE(cache_file_age(path));
  store_cache_file(path, "one");
  store_cache_file(path, "two");
  CHECK(read_file(path).value() == "two");
  REQUIRE(cache_file_age(path));
  CHECK(list_folder(folder.path() + "/projects").value().size() == 1);
  store_cache_file("/proc/none/a", "cannot be written, and that is fine");
}

}  // namespace slipway::index
