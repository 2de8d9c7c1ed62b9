#include "index/simple_index.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/file.h"
#include "index/testing/fake_index.h"

namespace slipway::index {
namespace {

using testing::FakeFile;
using testing::FakeIndex;

constexpr const char* kWheel = "a_b-1.0-py3-none-any.whl";
constexpr const char* kMetadata =
    "Metadata-Version: 2.1\nName: a-b\nVersion: 1.0\nRequires-Dist: c>1\n\nLong text\n";

version::PackageName name(const char* text) { return version::PackageName::parse(text).value(); }

struct Fixture {
  Fixture() : folder(TemporaryFolder::create("/tmp", "simple-index").value()) {}

  FakeFile file(const char* file_name = kWheel) const {
    return {file_name, testing::make_wheel(file_name, kMetadata), kMetadata};
  }
  SimpleIndex open(Freshness freshness = Freshness::UseCached) {
    return SimpleIndex({"pypi", fake->url()}, client, folder.path(), freshness);
  }
  static http::Client make_client() {
    http::ClientOptions options;
    options.retries = 2;
    options.first_delay = options.longest_delay = std::chrono::milliseconds(1);
    return http::Client::create(options).value();
  }

  TemporaryFolder folder;
  std::unique_ptr<FakeIndex> fake = FakeIndex::start().value();
  http::Client client = make_client();
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a project, its wheels and their metadata") {
  FakeFile yanked = file("a_b-0.9-py3-none-any.whl");
  yanked.yanked = "broken";
  yanked.requires_python = ">=3.8";
  fake->add(yanked);
  fake->add(file());
  SimpleIndex index = open();
  const auto page = index.fetch_project(name("A.b"));
  REQUIRE(page.ok());
  REQUIRE(page.value()->wheels.size() == 2);
  CHECK(page.value()->wheels[0].yanked_reason == "broken");
  const WheelFile& wheel = page.value()->wheels[1];
  CHECK(wheel.sha256 == sha256(file().bytes));
  CHECK(wheel.url == fake->server().url() + "/files/" + kWheel);
  const auto metadata = index.fetch_metadata(wheel);
  REQUIRE(metadata.ok());
  CHECK(metadata.value()->requires_dist == std::vector<std::string>{"c>1"});
  CHECK(index.fetch_metadata(wheel).value() == metadata.value());
  CHECK(index.fetch_project(name("a-b")).value() == page.value());
  CHECK(fake->count_requests("") == 2);
}

TEST_CASE_FIXTURE(Fixture, "what the cache keeps says the same as what was fetched") {
  FakeFile licensed = file();
  licensed.metadata =
      "Metadata-Version: 2.1\nName: a-b\nVersion: 1.0\nLicense: Some terms\n        \n"
      "        of two paragraphs\nRequires-Dist: c>1\n\nRequires-Dist: only-described\n";
  fake->add(licensed);
  for (const char* what : {"fetched", "cached"}) {
    INFO(what);
    SimpleIndex index = open();
    const auto page = index.fetch_project(name("a-b"));
    REQUIRE(page.ok());
    const auto metadata = index.fetch_metadata(page.value()->wheels[0]);
    REQUIRE(metadata.ok());
    CHECK(metadata.value()->requires_dist == std::vector<std::string>{"c>1"});
  }
}

TEST_CASE_FIXTURE(Fixture, "the cache: fresh, revalidated, offline") {
  fake->add(file());
  const auto both = [&](SimpleIndex index) {
    const auto page = index.fetch_project(name("a-b"));
    return page.ok() && index.fetch_metadata(page.value()->wheels[0]).ok();
  };
  CHECK_FALSE(both(open(Freshness::Offline)));
  CHECK(both(open()));
  CHECK(fake->count_requests("") == 2);
  CHECK(both(open()));
  CHECK(both(open(Freshness::Offline)));
  CHECK(fake->count_requests("") == 2);
  CHECK(both(open(Freshness::Revalidate)));  // 304
  CHECK(fake->count_requests("/simple/") == 2);
  fake->add(file("a_b-2.0-py3-none-any.whl"));
  CHECK(open().fetch_project(name("a-b")).value()->wheels.size() == 1);
  CHECK(open(Freshness::Revalidate).fetch_project(name("a-b")).value()->wheels.size() == 2);
  CHECK(open().fetch_project(name("a-b")).value()->wheels.size() == 2);
  CHECK(fake->count_requests("/files/") == 1);
  CHECK(open(Freshness::Offline).fetch_project(name("zzz")).error().kind == ErrorKind::Unavailable);
}

TEST_CASE_FIXTURE(Fixture, "an index that forbids caching, or has no ETag, is asked again") {
  fake->add(file());
  testing::Faults faults;
  faults.cache_control = "max-age=0";
  faults.has_etag = false;
  fake->set_faults(faults);
  CHECK(open().fetch_project(name("a-b")).ok());
  CHECK(open().fetch_project(name("a-b")).ok());
  CHECK(fake->count_requests("/simple/") == 2);
}

TEST_CASE_FIXTURE(Fixture, "what an older run left in pieces is fetched anew") {
  fake->add(file());
  const auto page = open().fetch_project(name("a-b"));
  REQUIRE(open().fetch_metadata(page.value()->wheels[0]).ok());
  const std::string hex = page.value()->wheels[0].sha256->hex();
  const std::string metadata =
      fmt::format("{}/index/pypi/metadata/{}/{}", folder.path(), hex.substr(0, 2), hex.substr(2));
  REQUIRE(write_file(metadata, "Name: a-b\nVersion: 1.0\n").ok());  // cut: no Requires-Dist
  REQUIRE(write_file(folder.path() + "/index/pypi/projects/a-b", "slipway page 2\n").ok());
  const auto again = open().fetch_project(name("a-b"));
  REQUIRE(again.ok());
  CHECK(open().fetch_metadata(again.value()->wheels[0]).value()->requires_dist.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "metadata without a .metadata file") {
  FakeFile silent = file();
  silent.metadata.clear();
  struct Case {
    const char* name;
    bool is_promised, ignores_ranges, says_nothing;
  };
  const Case cases[] = {{"promised, and 404", true, false, false},
                        {"the index says nothing", false, false, true},
                        {"and the server ignores ranges", false, true, true}};
  for (const Case& one : cases) {
    CAPTURE(one.name);
    Fixture fresh;
    fresh.fake->add(silent);
    testing::Faults faults;
    faults.ignores_ranges = one.ignores_ranges;
    fresh.fake->set_faults(faults);
    SimpleIndex index = fresh.open();
    WheelFile wheel = index.fetch_project(name("a-b")).value()->wheels.at(0);
    CHECK(wheel.metadata_file == MetadataFile::Unknown);
    if (one.is_promised) wheel.metadata_file = MetadataFile::Present;
    const auto metadata = index.fetch_metadata(wheel);
    REQUIRE(metadata.ok());
    CHECK(metadata.value()->requires_dist.size() == 1);
  }
}

TEST_CASE_FIXTURE(Fixture, "a wrong hash is told") {
  FakeFile liar = file();
  liar.lies_about_metadata = true;
  fake->add(liar);
  SimpleIndex index = open();
  const auto metadata = index.fetch_metadata(index.fetch_project(name("a-b")).value()->wheels[0]);
  REQUIRE_FALSE(metadata.ok());
  CHECK(metadata.error().kind == ErrorKind::Corrupt);
  CHECK(metadata.error().message.find(kWheel) != std::string::npos);

  WheelFile other = index.fetch_project(name("a-b")).value()->wheels[0];
  FakeFile whole = file("a_b-3.0-py3-none-any.whl");
  whole.metadata.clear();
  fake->add(whole);
  testing::Faults faults;
  faults.ignores_ranges = true;
  fake->set_faults(faults);
  other.url = fake->server().url() + "/files/a_b-3.0-py3-none-any.whl";
  other.metadata_file = MetadataFile::Absent;
  CHECK(open().fetch_metadata(other).error().kind == ErrorKind::Corrupt);
}

TEST_CASE_FIXTURE(Fixture, "an index in trouble says what is wrong, and keeps nothing") {
  struct Case {
    const char* name;
    testing::Faults faults;
    ErrorKind kind;
    const char* says;
  };
  Case cases[] = {
      {"404", {}, ErrorKind::NotFound, "no project `a-b`"},
      {"500", {.page_status = 500}, ErrorKind::Unavailable, "500"},
      {"403", {.page_status = 403}, ErrorKind::Denied, "403"},
      {"HTML", {}, ErrorKind::Unsupported, "HTML"},
      {"no JSON", {}, ErrorKind::Corrupt, "no JSON"},
      {"other JSON", {}, ErrorKind::Corrupt, "files"},
  };
  cases[3].faults.page_body = "<!DOCTYPE html><a href='x.whl'>x.whl</a>";
  cases[3].faults.page_type = "text/html; charset=UTF-8";
  cases[4].faults.page_body = "{\"files\": [";
  cases[5].faults.page_body = "{\"projects\": []}";
  for (const Case& one : cases) {
    CAPTURE(one.name);
    fake->set_faults(one.faults);
    const auto page = open().fetch_project(name("a-b"));
    REQUIRE_FALSE(page.ok());
    CHECK(page.error().kind == one.kind);
    CHECK(page.error().message.find(one.says) != std::string::npos);
    CHECK_FALSE(path_exists(folder.path() + "/index/pypi/projects/a-b"));
  }
}

TEST_CASE_FIXTURE(Fixture, "a password of the index opens its files, and shows nowhere") {
  fake->add(file());
  testing::Faults faults;
  faults.password = "bWU6czNjcmV0";  // me:s3cret
  fake->set_faults(faults);
  std::string url = fake->url();
  url.insert(url.find("//") + 2, "me:s3cret@");
  CHECK(open().fetch_project(name("a-b")).error().kind == ErrorKind::Denied);
  SimpleIndex index({"pypi", url}, client, folder.path(), Freshness::UseCached);
  const auto page = index.fetch_project(name("a-b"));
  REQUIRE(page.ok());
  CHECK(page.value()->wheels[0].url.find("s3cret") == std::string::npos);
  CHECK(index.fetch_metadata(page.value()->wheels[0]).ok());
  CHECK(index.fetch_project(name("nope")).error().message.find("s3cret") == std::string::npos);
  const auto cached = read_file(folder.path() + "/index/pypi/projects/a-b");
  CHECK(cached.value().find("s3cret") == std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "dozens are fetched ahead, each once; the rest is dropped at the end") {
  for (int i = 0; i < 50; ++i) {
    const std::string file_name = fmt::format("p{}-1.0-py3-none-any.whl", i);
    fake->add({file_name, testing::make_wheel(file_name), ""});
  }
  {
    SimpleIndex index = open();
    std::vector<std::shared_future<Result<PagePointer>>> futures;
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < 50; ++i) {
        futures.push_back(index.prefetch_project(name(fmt::format("p{}", i).c_str())));
      }
    }
    CHECK(index.fetch_project(name("p49")).ok());
    for (const auto& future : futures) {
      REQUIRE(future.get().ok());
      CHECK(index.prefetch_metadata(future.get().value()->wheels[0]).get().ok());
    }
    CHECK(fake->count_requests("/simple/") == 50);
  }
  std::shared_future<Result<PagePointer>> late;
  {
    SimpleIndex index = open(Freshness::Revalidate);
    for (int i = 0; i < 50; ++i) late = index.prefetch_project(name(fmt::format("p{}", i).c_str()));
  }
  const auto result = late.get();  // an answer either way, never a wait
  if (!result.ok()) CHECK(result.error().kind == ErrorKind::Cancelled);
}

TEST_CASE_FIXTURE(Fixture, "a folder of wheels becomes an index") {
  const std::string wheels = folder.path() + "/wheels";
  REQUIRE(make_folders(wheels).ok());
  REQUIRE(write_file(wheels + "/" + kWheel, testing::make_wheel(kWheel, kMetadata)).ok());
  REQUIRE(write_file(wheels + "/README", "no wheel").ok());
  fake = FakeIndex::serve_folder(wheels).value();
  SimpleIndex index = open();
  const auto page = index.fetch_project(name("a-b"));
  REQUIRE(page.ok());
  CHECK(page.value()->wheels[0].metadata_file == MetadataFile::Present);
  CHECK(index.fetch_metadata(page.value()->wheels[0]).value()->name == "a-b");
}

}  // namespace slipway::index
