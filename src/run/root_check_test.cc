#include "run/root_check.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/file.h"

namespace slipway::run {
namespace {

TEST_CASE("an image's /dev, /proc and /sys are folders") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "root-check-test").value();
  const std::string top = folder.path() + "/top", low = folder.path() + "/low";
  REQUIRE(make_folders(top).ok());
  REQUIRE(make_folders(low + "/proc").ok());
  CHECK(check_system_folders({top, low}).ok());

  for (const char* name : {"dev", "proc", "sys"}) {
    CAPTURE(name);
    const std::string link = top + "/" + name;
    // A link to a folder of the image's own as well: it may be another by the time it is followed.
    for (const char* target : {"/tmp", "../../../../tmp", "usr", "."}) {
      CAPTURE(target);
      REQUIRE(::symlink(target, link.c_str()) == 0);
      const Result<void> checked = check_system_folders({top, low});
      REQUIRE(!checked.ok());
      CHECK(checked.error().kind == ErrorKind::Denied);
      CHECK(checked.error().message ==
            fmt::format("the image's `/{}` is a link, not a folder", name));
      // Hidden by a folder of a higher layer it does no harm.
      const std::string above = folder.path() + "/above";
      REQUIRE(make_folders(above + "/" + name).ok());
      CHECK(check_system_folders({above, top, low}).ok());
      REQUIRE(::unlink(link.c_str()) == 0);
    }
    REQUIRE(write_file(link, "x", 0644).ok());
    CHECK(!check_system_folders({top, low}).ok());
    REQUIRE(::unlink(link.c_str()) == 0);
  }
}

}  // namespace
}  // namespace slipway::run
