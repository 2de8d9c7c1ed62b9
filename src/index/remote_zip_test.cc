#include "index/remote_zip.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "base/process.h"
#include "index/testing/fake_index.h"

namespace slipway::index {
namespace {

constexpr const char* kMetadata = "Metadata-Version: 2.1\nName: a\nVersion: 1\n";

/// Over bytes in memory; counts what is asked for.
class StringReader final : public RangeReader {
 public:
  explicit StringReader(std::string bytes) : bytes_(std::move(bytes)) {}
  int reads = 0;

  Result<http::RangeBody> read_tail(std::uint64_t count) override {
    ++reads;
    const std::uint64_t first = bytes_.size() - std::min<std::uint64_t>(count, bytes_.size());
    return http::RangeBody{bytes_.substr(first), first, bytes_.size()};
  }
  Result<std::string> read_range(std::uint64_t first, std::uint64_t count) override {
    ++reads;
    if (first > bytes_.size() || count > bytes_.size() - first) {
      return make_error(ErrorKind::Corrupt, "past the end");
    }
    return bytes_.substr(first, count);
  }

 private:
  std::string bytes_;
};

Result<std::string> read(const std::string& bytes) {
  StringReader reader(bytes);
  return read_wheel_metadata(reader);
}

std::string make() { return testing::make_wheel("a-1-py3-none-any.whl", kMetadata); }

}  // namespace

TEST_CASE("the METADATA of a small wheel takes one read") {
  StringReader reader(make());
  const auto text = read_wheel_metadata(reader);
  REQUIRE(text.ok());
  CHECK(text.value() == kMetadata);
  CHECK(reader.reads == 1);
}

TEST_CASE("real zips: deflated, thousands of members, METADATA first or last") {
  auto folder = TemporaryFolder::create("/tmp", "remote-zip").value();
  const std::string path = folder.path() + "/a.whl";
  const std::string script =
      "import sys, zipfile\n"
      "path, where = sys.argv[1:]\n"
      "names = ['pkg/%05d_with_a_rather_long_name.py' % i for i in range(3000)]\n"
      "info = 'a-1.dist-info/METADATA'\n"
      "names = [info] + names if where == 'first' else names + [info]\n"
      "with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as z:\n"
      "  for n in names: z.writestr(n, 'Name: a\\nVersion: 1\\n' * 99 if n == info else n * 9)\n"
      "  z.writestr('b/c.dist-info/METADATA', 'no')\n"
      "  z.comment = b'PK\\5\\6 a comment'\n";
  for (const char* where : {"first", "last"}) {
    CAPTURE(where);
    REQUIRE(run_for_output({"python3", "-c", script, path, where}).ok());
    StringReader reader(read_file(path).value());
    const auto text = read_wheel_metadata(reader);
    REQUIRE(text.ok());
    CHECK(text.value().starts_with("Name: a\nVersion: 1\n"));
    CHECK(text.value().size() == 99 * 19);
    CHECK(reader.reads <= 3);
    CHECK(read_wheel_metadata_of_file(path).value() == text.value());
  }
}

TEST_CASE("the RECORD of a wheel, and of one that has none") {
  auto folder = TemporaryFolder::create("/tmp", "remote-zip").value();
  const std::string path = folder.path() + "/a.whl";
  const std::string script =
      "import sys, zipfile\n"
      "with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n"
      "    z.writestr('other/RECORD', 'no')\n"
      "    z.writestr('a/a-1.dist-info/RECORD', 'no')\n"
      "    for name in sys.argv[2:]: z.writestr(name, 'yes ' * 5000)\n";
  const auto make_zip = [&](const char* name) {
    REQUIRE(run_for_output({"python3", "-c", script, path, name}).ok());
    return read_file(path).value();
  };
  StringReader good(make_zip("a-1.dist-info/RECORD"));
  const auto text = read_wheel_record(good);
  REQUIRE(text.ok());
  CHECK(text->size() == 20000);
  StringReader bad(make_zip("a-1.dist-info/RECORDS"));
  const auto none = read_wheel_record(bad);
  REQUIRE(!none.ok());
  CHECK(none.error().kind == ErrorKind::Corrupt);
  CHECK(none.error().message.find("no RECORD") != std::string::npos);
}

TEST_CASE("each cut and each flipped byte is an error or the right text") {
  const std::string wheel = make();
  for (std::size_t size = 0; size < wheel.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(read(wheel.substr(0, size)).ok());
  }
  for (std::size_t at = 0; at < wheel.size(); ++at) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string changed = wheel;
      changed[at] = static_cast<char>(changed[at] ^ mask);
      const auto text = read(changed);
      if (text.ok()) CHECK(text.value() == kMetadata);
    }
  }
}

TEST_CASE("no zip, no METADATA, two of them") {
  CHECK(read("").error().kind == ErrorKind::Corrupt);
  CHECK(read(std::string(100'000, 'P')).error().kind == ErrorKind::Corrupt);
  std::string wheel = make();
  for (std::size_t at = wheel.find("METADATA"); at != std::string::npos;
       at = wheel.find("METADATA", at)) {
    wheel.replace(at, 8, "METADATB");
  }
  CHECK(read(wheel).error().message.find("no METADATA") != std::string::npos);
  wheel = make();
  for (std::size_t at = wheel.find("/RECORD"); at != std::string::npos;
       at = wheel.find("/RECORD")) {
    wheel.replace(at, 7, "/METADA");
  }
  CHECK(read(wheel).ok());
}

}  // namespace slipway::index
