#include "run/mount_places.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/file.h"

namespace slipway::run {
namespace {

struct Case {
  const char* name;
  std::vector<std::string> targets;
  std::string message;  ///< empty: all is well
};

TEST_CASE("links of an image and the places of mounts") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "mount-places-test").value();
  const std::string top = folder.path() + "/top", low = folder.path() + "/low";
  REQUIRE(make_folders(top + "/hidden").ok());
  REQUIRE(make_folders(low + "/srv/real").ok());
  REQUIRE(make_folders(low + "/deep/er").ok());
  const auto link = [&](const std::string& layer, const std::string& name, const char* lead) {
    REQUIRE(::symlink(lead, join_path(layer, name).c_str()) == 0);
  };
  link(low, "near", "srv");
  link(low, "work", "/dev");
  link(low, "climb", "../../../../dev/x");
  link(low, "twice", "near/../proc");
  link(low, "root", "/");
  link(low, "dangling", "/not/there/../../sys/fs");
  link(low, "deep/er/up", "../../work");
  link(low, "loop", "loop");
  link(low, "hidden", "/dev");
  link(low, "shm", "/dev/shm");
  const std::vector<Case> cases{
      {"nothing", {}, ""},
      {"no links", {"/srv/real", "/srv/made", "/new/deep"}, ""},
      {"a CDI mount", {"/dev/x"}, ""},
      {"a link to elsewhere", {"/near/real", "/near"}, ""},
      {"hidden by a folder", {"/hidden", "/hidden/x"}, ""},
      {"the root", {"/root/data"}, ""},
      {"straight", {"/work"}, "the image's links lead `/work` to `/dev`"},
      {"below", {"/work/a/b"}, "the image's links lead `/work/a/b` to `/dev/a/b`"},
      {"climbing", {"/climb"}, "the image's links lead `/climb` to `/dev/x`"},
      {"two", {"/twice"}, "the image's links lead `/twice` to `/proc`"},
      {"through the root", {"/root/dev"}, "the image's links lead `/root/dev` to `/dev`"},
      {"dangling", {"/dangling"}, "the image's links lead `/dangling` to `/sys/fs`"},
      {"from below", {"/deep/er/up"}, "the image's links lead `/deep/er/up` to `/dev`"},
      {"shared memory", {"/shm"}, "the image's links lead `/shm` to `/dev/shm`"},
      {"without end", {"/loop/x"}, "the image's links at `/loop/x` have no end"},
      {"into another",
       {"/srv", "/near/x"},
       "the image's links lead `/near/x` to `/srv/x`, into what is mounted at `/srv`"},
      {"into another, first",
       {"/near/x/y", "/srv/x"},
       "the image's links lead `/near/x/y` to `/srv/x/y`, into what is mounted at `/srv/x`"}};
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const Result<void> checked = check_mount_places({top, low}, one.targets, one.targets);
    CHECK((checked.ok() ? std::string() : checked.error().message) == one.message);
  }
  // Within what is empty when it is mounted there are no links.
  CHECK(check_mount_places({top, low}, {"/srv", "/near/x"}, {}).ok());
}

}  // namespace
}  // namespace slipway::run
