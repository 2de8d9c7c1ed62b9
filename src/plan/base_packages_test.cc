#include "plan/base_packages.h"

#include <doctest/doctest.h>

namespace slipway::plan {
namespace {

index::DebFile deb(std::string name, std::string version) {
  index::DebFile file;
  file.package = std::move(name);
  file.version = std::move(version);
  return file;
}
std::string installed(std::string_view name, std::string_view version) {
  return fmt::format("Package: {}\nStatus: install ok installed\nVersion: {}\n\n", name, version);
}

const BaseFacts kBare{"ubuntu 22.04", "2.35", "", "", "/bin/sh"};

TEST_CASE("what is asked for, and why") {
  const std::string user(spec::kAskedByUser), python(spec::kNoPython), wheels(spec::kForWheels);
  CHECK(base_wishes({"git"}, false, "3.12", {}) == std::vector<BaseWish>{{"git", user}});
  CHECK(base_wishes({}, true, "", {"zlib1g", "libgcc-s1"}) ==
        std::vector<BaseWish>{
            {"python3", python}, {"ca-certificates", wheels}, {"libstdc++6", wheels}});
  CHECK(base_wishes({}, true, "3.12", {"ca-certificates", "zlib1g", "libgcc-s1", "libstdc++6"}) ==
        std::vector<BaseWish>{{"python3.12", python}});
}

TEST_CASE("what the packages make of a base") {
  struct Case {
    const char* name;
    BaseFacts before;
    std::vector<index::DebFile> debs;
    std::vector<std::string> status;
    std::string python;
    BaseFacts after;
  };
  const BaseFacts own{"debian 12", "2.36", "3.11.2", "/usr/bin/python3.11", "/bin/bash"};
  const BaseFacts local{"debian 12", "2.36", "3.12.4", "/usr/local/bin/python3.12", "/bin/sh"};
  const Case cases[] = {
      {"a Python for a base without",
       kBare,
       {deb("python3", "3.10.6-1~22.04.1"), deb("python3.10-minimal", "3.10.12-1~22.04.11"),
        deb("python3.10", "3.10.12-1~22.04.11")},
       {},
       "",
       {"ubuntu 22.04", "2.35", "3.10.12", "/usr/bin/python3.10", "/bin/sh"}},
      {"another than the distribution's own",
       kBare,
       {deb("python3.12", "3.12.3-1"), deb("libc6", "2.39-0ubuntu8"), deb("bash", "5.2-1")},
       {},
       "3.12",
       {"ubuntu 22.04", "2.39", "3.12.3", "/usr/bin/python3.12", "/bin/bash"}},
      {"the base's is upgraded",
       own,
       {deb("python3.11-minimal", "3.11.9-1")},
       {},
       "",
       {"debian 12", "2.36", "3.11.9", "/usr/bin/python3.11", "/bin/bash"}},
      {"or stays",
       own,
       {deb("git", "1:2.39.5-0")},
       {installed("python3.11-minimal", "3.11.9-1")},
       "",
       own},
      {"one that dpkg did not bring stays",
       local,
       {deb("python3.12-minimal", "3.12.9-1")},
       {},
       "",
       local},
  };
  for (const Case& item : cases) {
    INFO(item.name);
    const auto after = facts_with_packages(item.before, item.debs, item.status, item.python, "x");
    REQUIRE_MESSAGE(after.ok(), after.error().message);
    CHECK(*after == item.after);
  }
  const auto gone = facts_with_packages(
      kBare, {}, {installed("python3", "3.11.2-1+b1") + installed("python3.11", "3.11.2-6")}, "",
      "x");
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().message == "the base `x` has no Python 3 on its PATH");
  const auto old = facts_with_packages(
      kBare, {deb("python3", "3.6.7-1"), deb("python3.6-minimal", "3.6.9-1")}, {}, "", "x");
  REQUIRE_FALSE(old.ok());
  CHECK(old.error().message.find("its distribution's is 3.6.9") != std::string::npos);
}

}  // namespace
}  // namespace slipway::plan
