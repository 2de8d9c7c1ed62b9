#include "gpu/loader_cache.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/file.h"

namespace slipway::gpu {
namespace {

LoaderCache make_cache(std::vector<std::string> names) {
  LoaderCache cache;
  lead_to_folder(cache, "/somewhere", names);
  return cache;
}

std::vector<std::string> names_of(const LoaderCache& cache) {
  std::vector<std::string> names;
  for (const LoaderCacheEntry& entry : cache.entries) names.push_back(entry.name);
  return names;
}

TEST_CASE("this host's cache, made by ldconfig, comes through byte for byte in content") {
  const Result<std::string> bytes = read_file("/etc/ld.so.cache");
  if (!bytes.ok()) return;
  const LoaderCache cache = parse_loader_cache(*bytes).value();
  CHECK(cache.entries.size() > 10);
  const LoaderCache again = parse_loader_cache(write_loader_cache(cache)).value();
  // ldconfig's order is the loader's, and sorting keeps it.
  CHECK(again.entries == cache.entries);
  CHECK(again.subfolders == cache.subfolders);
  CHECK(again.generator == cache.generator);
}

TEST_CASE("numbers are ordered by value, and above letters and the end") {
  const LoaderCache cache =
      parse_loader_cache(
          write_loader_cache(make_cache({"liba.so.9", "liba.so.10", "liba.so", "libab.so",
                                         "liba1.so", "liba.so.010x", "liba.so.1"})))
          .value();
  CHECK(names_of(cache) == std::vector<std::string>{"liba1.so", "libab.so", "liba.so.010x",
                                                    "liba.so.10", "liba.so.9", "liba.so.1",
                                                    "liba.so"});
}

TEST_CASE("a driver's library that an image brings gives way") {
  LoaderCache cache;
  cache.entries = {
      {"libcuda.so.1", "/usr/lib/x86_64-linux-gnu/libcuda.so.1", library_flags(), 0, 0},
      {"libcuda.so.1", "/usr/lib32/libcuda.so.1", 3, 0, 0},
      {"libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", library_flags(), 0, 0}};
  lead_to_folder(cache, "/usr/lib/slipway-driver", {"libcuda.so.1", "libcuda.so.1"});
  REQUIRE(cache.entries.size() == 3);
  const auto ours = std::count_if(
      cache.entries.begin(), cache.entries.end(),
      [](const auto& entry) { return entry.path == "/usr/lib/slipway-driver/libcuda.so.1"; });
  CHECK(ours == 1);
}

TEST_CASE("the file of old glibc in front is passed over") {
  const std::string bytes = write_loader_cache(make_cache({"liba.so.1"}));
  std::string old = "ld.so-1.7.0";
  old.push_back('\0');
  const std::uint32_t count = 3;
  old.append(reinterpret_cast<const char*>(&count), 4);
  old.append(3 * 12, 'x');
  old.resize((old.size() + 7) / 8 * 8);
  CHECK(names_of(parse_loader_cache(old + bytes).value()) == std::vector<std::string>{"liba.so.1"});
}

TEST_CASE("cut anywhere or changed anywhere it is refused or read, and never read beyond") {
  LoaderCache cache = make_cache({"liba.so.1", "libb.so.2"});
  cache.subfolders = {"x86-64-v3"};
  cache.generator = "a test";
  const std::string bytes = write_loader_cache(cache);
  CHECK(parse_loader_cache(bytes).value().subfolders == cache.subfolders);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string part = bytes.substr(0, size);
    CHECK_FALSE(parse_loader_cache(part).ok());
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = '\xff';
    (void)parse_loader_cache(changed);
  }
}

// The judge is glibc itself: `ldconfig -p` reads a cache with the loader's own structures.
TEST_CASE("ldconfig reads what we write") {
  if (::access("/sbin/ldconfig", X_OK) != 0) return;
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "loader-cache-test").value();
  LoaderCache cache = parse_loader_cache(read_file("/etc/ld.so.cache").value()).value();
  lead_to_folder(cache, "/usr/lib/slipway-driver", {"libcuda.so.1", "libcuda.so"});
  const std::string path = folder.path() + "/cache";
  const std::string list = folder.path() + "/list";
  REQUIRE(write_file(path, write_loader_cache(cache)).ok());
  const std::string command = fmt::format("/sbin/ldconfig -p -C '{}' > '{}'", path, list);
  REQUIRE(std::system(command.c_str()) == 0);
  const std::string text = read_file(list).value();
  CHECK(text.find("=> /usr/lib/slipway-driver/libcuda.so.1\n") != std::string::npos);
  CHECK(text.starts_with(fmt::format("{} libs found", cache.entries.size())));
}

}  // namespace
}  // namespace slipway::gpu
