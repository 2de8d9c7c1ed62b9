#include "registry/upload_record.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "base/clock.h"

using namespace slipway;
using namespace slipway::registry;

namespace {

TemporaryFolder folder() { return TemporaryFolder::create("/tmp", "slipway-record").value(); }

UploadTarget target(const std::string& repository = "team/x") {
  return {"registry.example:5000", repository, sha256("blob")};
}

std::string only_record(const std::string& in) {
  std::string found;
  const auto names = list_folder(in);
  for (const std::string& name : *names) {
    if (name.ends_with(".json")) found = join_path(in, name);
  }
  return found;
}

}  // namespace

TEST_CASE("upload record: noted, found again, forgotten") {
  const TemporaryFolder top = folder();
  const std::string uploads = join_path(top.path(), "uploads");
  const OpenUpload upload{"https://registry.example:5000/v2/x?token=\"secret\"", 7, 5};
  {
    const auto record = UploadRecord::take(uploads, target());
    REQUIRE(record);
    CHECK(!record->find());
    record->note({"first", 0, 0});
    record->note(upload);
    CHECK(record->find() == upload);
  }
  struct stat status;
  REQUIRE(::stat(only_record(uploads).c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  REQUIRE(::stat(uploads.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  CHECK(!UploadRecord::take(uploads, target("team/y"))->find());
  {
    const auto record = UploadRecord::take(uploads, target());
    CHECK(record->find() == upload);
    record->forget();
    CHECK(!record->find());
    CHECK(!UploadRecord::take(uploads, target()));
  }
  CHECK(list_folder(uploads)->empty());
}

TEST_CASE("upload record: of two at once one has it") {
  const TemporaryFolder top = folder();
  auto first = UploadRecord::take(top.path(), target());
  REQUIRE(first);
  CHECK(!UploadRecord::take(top.path(), target()));
  CHECK(UploadRecord::take(top.path(), target("team/y")));
  first.reset();
  CHECK(UploadRecord::take(top.path(), target()));
  CHECK(!UploadRecord::take("/proc/none", target()));
}

TEST_CASE("upload record: what is broken or another's is none") {
  const TemporaryFolder top = folder();
  const auto record = UploadRecord::take(top.path(), target());
  record->note({"https://registry.example:5000/v2/x", 7, 5});
  const std::string path = only_record(top.path()), good = read_file(path).value();
  struct Case {
    std::string from, to;
  };
  const Case cases[] = {
      {good, ""},
      {good, "{"},
      {good, "[1]"},
      {good, good.substr(0, good.size() / 2)},
      {"team/x", "team/y"},
      {"\"registry\":\"registry.example", "\"registry\":\"another.example"},
      {"sha256:", "sha512:"},
      {"\"version\":1", "\"version\":2"},
      {"\"version\":1", "\"version\":\"1\""},
      {"\"https://registry.example:5000/v2/x\"", "\"\""},
      {"\"https://registry.example:5000/v2/x\"", "7"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.to);
    std::string text = good;
    const std::size_t at = text.find(one.from);
    REQUIRE(at != std::string::npos);
    REQUIRE(write_file(path, text.replace(at, one.from.size(), one.to)).ok());
    CHECK(!record->find());
  }
  REQUIRE(write_file(path, good).ok());
  CHECK(record->find());
}

TEST_CASE("upload record: old ones are swept, but not what is held") {
  const TemporaryFolder top = folder();
  const auto held = UploadRecord::take(top.path(), target("held"));
  held->note({"x", 0, 0});
  const std::string of_held = only_record(top.path());
  for (const char* repository : {"a", "b"}) {
    UploadRecord::take(top.path(), target(repository))->note({"x", 0, 0});
  }
  const std::string left_over = join_path(top.path(), "00.json.17.tmp");
  REQUIRE(write_file(left_over, "{").ok());
  const auto count = [&] { return list_folder(top.path())->size(); };
  REQUIRE(count() == 7);
  sweep_upload_records(top.path(), utc_now() - std::chrono::hours(1));
  CHECK(count() == 7);
  sweep_upload_records(top.path(), utc_now() + std::chrono::hours(1));
  CHECK(count() == 2);
  CHECK(path_exists(of_held));
  sweep_upload_records(join_path(top.path(), "none"), utc_now());
}
