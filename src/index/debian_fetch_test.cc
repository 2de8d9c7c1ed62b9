#include "index/debian_fetch.h"

#include <doctest/doctest.h>

#include "base/base64.h"
#include "base/file.h"

namespace slipway::index {
namespace {

// `printf 'Package: a\n' | xz --check=crc32 | base64`; the same of `b`, and of nothing.
constexpr const char* kFirst =
    "/Td6WFoAAAFpIt42AgAhARYAAAB0L+WjAQAKUGFja2FnZTogYQoAAFlveZcAAR8LPWIOepBCmQ0BAAAAAAFZWg==";
constexpr const char* kSecond =
    "/Td6WFoAAAFpIt42AgAhARYAAAB0L+WjAQAKUGFja2FnZTogYgoAAJo8VLwAAR8LPWIOepBCmQ0BAAAAAAFZWg==";
constexpr const char* kNothing = "/Td6WFoAAAFpIt42AAAAABzfRCGQQpkNAQAAAAABWVo=";

TEST_CASE("lists of one stream, of several, and of nothing") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp").value();
  const auto read = [&](const std::string& packed, std::uint64_t text_bytes) {
    PackagesFile file;
    file.path = "main/binary-amd64/Packages.xz";
    file.cached_path = folder.path() + "/list";
    file.text_bytes = text_bytes;
    REQUIRE(write_file(file.cached_path, packed));
    return read_packages_text(file);
  };
  const std::string first = decode_base64(kFirst).value();
  const std::string second = decode_base64(kSecond).value();
  CHECK(read(first, 11).value() == "Package: a\n");
  CHECK(read(first + second, 22).value() == "Package: a\nPackage: b\n");
  CHECK(read(decode_base64(kNothing).value(), 0).value().empty());
  for (const std::string& broken :
       {first, first + second + "x", first + second.substr(0, second.size() - 4),
        first + second + second, std::string()}) {
    CHECK(read(broken, 22).error().kind == ErrorKind::Corrupt);
  }
}

}  // namespace
}  // namespace slipway::index
