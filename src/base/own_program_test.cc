#include "base/own_program.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "base/process.h"

namespace slipway {
namespace {

TEST_CASE("a program that was not carried starts itself, and PATH decides") {
  const auto own = find_own_program();
  REQUIRE(own.ok());
  CHECK(*own == real_path("/proc/self/exe"));
  CHECK(carried_programs_folder().empty());
}

TEST_CASE("only a whole carried folder has a launcher") {
  const auto folder = TemporaryFolder::create("/var/tmp", "own-program-test");
  REQUIRE(folder.ok());
  const std::string top = folder->path();
  const std::string loader = top + "/loader/slipway";
  for (const char* name : {"bin", "loader", "libexec"}) {
    REQUIRE(make_folders(top + "/" + name).ok());
  }
  REQUIRE(write_file(loader, "", 0755).ok());
  CHECK(find_launcher(loader).empty());
  REQUIRE(write_file(top + "/bin/slipway", "", 0755).ok());
  CHECK(find_launcher(loader).empty());
  REQUIRE(write_file(top + "/libexec/slipway", "", 0755).ok());
  CHECK(find_launcher(loader) == top + "/bin/slipway");
  // Another's program in a folder of that name, and our own elsewhere.
  for (const char* name : {"/loader/other", "/libexec/slipway", "/bin/slipway"}) {
    CAPTURE(name);
    CHECK(find_launcher(top + name).empty());
  }
  for (const char* path : {"", "slipway", "/slipway", "loader/slipway", "/loader/slipway"}) {
    CAPTURE(path);
    CHECK(find_launcher(path).empty());
  }
}

}  // namespace
}  // namespace slipway
