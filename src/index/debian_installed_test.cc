#include "index/debian_installed.h"

#include <doctest/doctest.h>

namespace slipway::index {
namespace {

TEST_CASE("installed packages of a status file") {
  const auto debs = parse_installed_debs(
      "Package: libc6\nStatus: install ok installed\nMulti-Arch: same\nSource: glibc\n"
      "Architecture: amd64\nVersion: 2.36-9\nDepends: libgcc-s1, libcrypt1 (>= 1:4.4) | libcrypt0\n"
      "Pre-Depends: dpkg:any\nProvides: libc-x (= 1)\nMaintainer: A <a@b>\n"
      "Description: GNU C Library\n long text\n .\n more\nHomepage: x\n\n"
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
      "Package: half\nStatus: install reinstreq half-installed\nVersion: 1\n\n"
      "Package: nameless-version\nStatus: install ok installed\n\n\n"
      "Package: g++\nStatus: hold ok installed\nSource: gcc-defaults (1.203)\nVersion: 4:12");
  REQUIRE(debs.size() == 2);
  CHECK(debs[0].name == "libc6");
  CHECK(debs[0].summary == "GNU C Library");
  CHECK(debs[0].depends ==
        std::vector<std::vector<std::string>>{{"libgcc-s1"}, {"libcrypt1", "libcrypt0"}, {"dpkg"}});
  CHECK(debs[0].provides == std::vector<std::string>{"libc-x"});
  CHECK(debs[1].source == "gcc-defaults");
  CHECK(debs[1].source_version == "1.203");
  CHECK(parse_installed_debs("Package: base-files\nVersion: 12\n").size() == 1);  // status.d
  CHECK(parse_installed_debs("").empty());
  CHECK(parse_installed_debs("\xff\xfe\n\n:::\n\n Package: x\n").empty());
}

TEST_CASE("copyright files, where a machine may read them") {
  const auto copyright = parse_debian_copyright(
      "Format: somewhere/copyright-format/1.0/\nUpstream-Name: x\n\nFiles: *\nCopyright: me\n"
      "License: GPL-2+\n\nFiles: y\nLicense: own or Expat\n\nLicense: own\n Do it.\n .\n Twice.\n\n"
      "License: GPL-2+\nFiles: z\n");
  CHECK(copyright.is_machine_readable);
  CHECK(copyright.licences == std::vector<std::string>{"GPL-2+", "own or Expat"});
  CHECK(copyright.texts.at("own") == "Do it.\n\nTwice.\n");
  CHECK(!parse_debian_copyright("This is free software.\n\nLicense: GPL-2\n").is_machine_readable);
  CHECK(parse_debian_copyright("Format: mine\n\nLicense: x\n").licences.empty());
  CHECK(!parse_debian_copyright("").is_machine_readable);
}

}  // namespace
}  // namespace slipway::index
