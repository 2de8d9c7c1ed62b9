#include "index/image_sources.h"

#include <doctest/doctest.h>

#include "base/base64.h"

namespace slipway::index {
namespace {

const std::string kKeyring = "/usr/share/keyrings/u.gpg";

TEST_CASE("the archives of an image, by what its files say") {
  const std::vector<ImageFile> files = {
      {"etc/apt/sources.list",
       "deb http://u.test/ubuntu jammy main restricted\n"
       "deb http://u.test/ubuntu/ jammy universe\n"
       "# deb http://u.test/ubuntu jammy-proposed main\n"
       "deb [arch=i386] http://other.test/ubuntu jammy main\n"
       "deb cdrom:[x]/ jammy main\n"
       "deb http://u.test/ubuntu jammy-updates main\n"},
      {"etc/apt/sources.list.d/cuda x.list", "deb [signed-by=/c.gpg] https://c.test/$(ARCH) /\n"},
      {"etc/apt/sources.list.d/ubuntu.sources",
       "Types: deb\nURIs: http://u.test/ubuntu\nSuites: jammy-security\nComponents: main\n"
       "Signed-By: /usr/share/keyrings/u.gpg\n"}};
  const auto sources = choose_image_sources("ubuntu", "amd64", files, {});
  REQUIRE(sources.size() == 4);
  CHECK(sources[0] ==
        DebianSource{
            "ubuntu", "http://u.test/ubuntu", "jammy", {"main", "restricted", "universe"}, ""});
  CHECK(sources[1] ==
        DebianSource{"ubuntu", "http://u.test/ubuntu", "jammy-updates", {"main"}, ""});
  CHECK(sources[2] == DebianSource{"cuda-x", "https://c.test/amd64", "/", {}, "/c.gpg"});
  CHECK(sources[3] ==
        DebianSource{"ubuntu", "http://u.test/ubuntu", "jammy-security", {"main"}, kKeyring});
}

TEST_CASE("a host of the same distribution lends its mirror, not its keys") {
  const std::vector<ImageFile> files = {
      {"etc/apt/sources.list",
       "deb http://u.test/ubuntu jammy main\n"
       "deb http://u.test/ubuntu jammy-updates main\n"
       "deb http://u.test/ubuntu jammy-backports main\n"},
      {"etc/apt/sources.list.d/x.list", "deb http://x.test/ubuntu jammy main\n"}};
  const std::vector<AptEntry> host = {{"http://near.test/ubuntu", "jammy", {"main"}, "/host.gpg"},
                                      {"http://far.test/ubuntu", "noble-updates", {"main"}, ""},
                                      {"http://odd.test/x", "noble-backports", {"main"}, ""}};
  const auto sources = choose_image_sources("ubuntu", "amd64", files, host);
  REQUIRE(sources.size() == 4);
  CHECK(sources[0].url == "http://near.test/ubuntu");
  CHECK(sources[0].keyring.empty());
  CHECK(sources[1].url == "http://far.test/ubuntu");
  CHECK(sources[1].suite == "jammy-updates");
  CHECK(sources[2].url == "http://u.test/ubuntu");
  CHECK(sources[3].url == "http://x.test/ubuntu");
}

TEST_CASE("whose signature counts") {
  CHECK(choose_keys("").value() == KeyChoice{{}, "", true});
  CHECK(choose_keys("/a.gpg,/b/c.asc").value() == KeyChoice{{"a.gpg", "b/c.asc"}, "", false});
  const std::string key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n AA==\n";
  CHECK(choose_keys(key).value() == KeyChoice{{}, key, false});
  CHECK(choose_keys("F6ECB3762474EDA9D21B7022871920D1991BC93C").error().kind ==
        ErrorKind::Unsupported);
}

std::string armoured(std::string_view bytes, std::string_view indent = "") {
  return fmt::format(
      "{0}-----BEGIN PGP PUBLIC KEY BLOCK-----\n{0}Comment: x\n{0}{1}\n{0}{2}\n{0}{3}\n{0}=abcd\n"
      "{0}-----END PGP PUBLIC KEY BLOCK-----\n",
      indent, indent.empty() ? "" : ".", encode_base64(bytes).substr(0, 4),
      encode_base64(bytes).substr(4));
}

TEST_CASE("keyrings as gpgv takes them") {
  CHECK(make_keyring("\x99\x01 binary").value() == "\x99\x01 binary");
  CHECK(make_keyring(armoured("one key")).value() == "one key");
  CHECK(make_keyring(armoured("one key") + "and\n" + armoured("another")).value() ==
        "one keyanother");
  CHECK(make_keyring(armoured("in a stanza", " ")).value() == "in a stanza");
  CHECK(make_keyring(std::string("\0\0\0 \1\1\0\2KBXf", 12)).error().kind ==
        ErrorKind::Unsupported);
  for (const char* broken :
       {"-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAA==\n",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n-----END PGP PUBLIC KEY BLOCK-----",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!\n-----END PGP PUBLIC KEY BLOCK-----"}) {
    INFO(broken);
    CHECK(make_keyring(broken).error().kind == ErrorKind::Corrupt);
  }
}

}  // namespace
}  // namespace slipway::index
