#include "base/user_namespace.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/mapped_root.h"

namespace slipway {

TEST_CASE("a chroot is told by its mounts") {
  const std::string proc = "43 27 0:39 / /proc rw,relatime - proc proc rw\n";
  CHECK(is_chroot(proc));
  CHECK(is_chroot("44 27 0:40 / /a / rw - proc proc rw\n"));
  CHECK_FALSE(is_chroot(proc + "27 1 8:1 / / rw - ext4 /dev/vda rw\n"));
  CHECK_FALSE(is_chroot("27 1 8:1 /var/lib/box / rw - ext4 /dev/vda rw\n" + proc));
  CHECK_FALSE(is_chroot(""));
  CHECK(is_chroot("no line of the kernel's"));
}

TEST_CASE("subordinate ranges are found by name and by number") {
  const std::string text =
      "# a comment\n"
      "bob:100000:65536\n"
      "alice:165536:65536\n"
      "1001:300000:10\n"
      "alice:165536:65536\n"
      "alice:none:65536\n"
      "alice:1\n"
      "alice:4294967290:100\n"
      "alice:500000:0\n"
      "aliceb:600000:7\n"
      "alice:700000:5";
  struct Case {
    const char* name;
    const char* user;
    uid_t id;
    std::vector<IdRange> expected;
  };
  const std::vector<Case> cases = {
      {"by name", "bob", 7, {{100000, 65536}}},
      {"by name and number, twice the same line",
       "alice",
       1001,
       {{165536, 65536}, {300000, 10}, {700000, 5}}},
      {"by number only", "carol", 1001, {{300000, 10}}},
      {"no one", "dave", 9, {}},
      {"no name", "", 9, {}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(parse_subordinate_ranges(text, c.user, c.id) == c.expected);
  }
  CHECK(parse_subordinate_ranges("", "bob", 1).empty());
}

TEST_CASE("the caller takes the place of the image's user") {
  struct Case {
    const char* name;
    std::vector<IdRange> ranges;
    std::uint32_t image_id;
    std::vector<IdMapping> expected;
  };
  const std::vector<Case> cases = {
      {"in the middle",
       {{100000, 65536}},
       1000,
       {{0, 100000, 1000}, {1000, 77, 1}, {1001, 101000, 64536}}},
      {"root", {{100000, 65536}}, 0, {{0, 77, 1}, {1, 100000, 65536}}},
      {"at the end of the range", {{100000, 1000}}, 1000, {{0, 100000, 1000}, {1000, 77, 1}}},
      {"beyond the range", {{100000, 10}}, 50, {{0, 100000, 10}, {50, 77, 1}}},
      {"two ranges",
       {{100000, 10}, {200000, 10}},
       12,
       {{0, 100000, 10}, {10, 200000, 2}, {12, 77, 1}, {13, 200002, 8}}},
      {"between two ranges",
       {{100000, 10}, {200000, 10}},
       10,
       {{0, 100000, 10}, {10, 77, 1}, {11, 200000, 10}}},
      {"no ranges", {}, 5, {{5, 77, 1}}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(make_id_map(c.ranges, 77, c.image_id) == c.expected);
  }
}

TEST_CASE("root stays root") {
  if (::geteuid() != 0) return;
  const Result<NamespaceInfo> info = enter_user_namespace({});
  REQUIRE(info.ok());
  CHECK(!info->entered);
  CHECK(info->owner_uid == 0);
  CHECK(info->uid_map.empty());
}

}  // namespace slipway
