#include "index/debian_sources.h"

#include <doctest/doctest.h>

namespace slipway::index {
namespace {

const std::string kMain = "http://one.test/debian";
const std::string kSecurity = "http://one.test/debian-security";

TEST_CASE("sources.list lines") {
  const auto entries = parse_sources_list(
      "# deb http://no.test/debian x main\n"
      "deb http://one.test/debian/ bookworm main contrib # why\n"
      "deb-src http://one.test/debian bookworm main\n"
      "deb [ arch=amd64 signed-by=/k.gpg ] http://two.test/x stable/ y\n"
      "deb [signed-by=/k.gpg http://never.test/closed a b\n"
      "deb http://too.short/x bookworm\n"
      "deb http://flat.test/x/ ./\n");
  REQUIRE(entries.size() == 3);
  CHECK(entries[0] == AptEntry{kMain, "bookworm", {"main", "contrib"}, ""});
  CHECK(entries[1] == AptEntry{"http://two.test/x", "stable", {"y"}, "/k.gpg", {"amd64"}});
  CHECK(entries[2] == AptEntry{"http://flat.test/x", "./", {}, ""});
}

TEST_CASE("deb822 stanzas") {
  const auto entries = parse_sources_stanzas(
      "Types: deb deb-src\nURIs: http://one.test/debian\nSuites: bookworm bookworm-updates\n"
      "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
      "Types: deb\nURIs: http://off.test/\nSuites: a\nEnabled: no\n\n"
      "Types: deb-src\nURIs: http://src.test/\nSuites: a\n");
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].suite == "bookworm-updates");
  CHECK(entries[1].keyring == kDebianKeyring);
}

TEST_CASE("which archives are taken") {
  struct Case {
    const char* name;
    std::vector<AptEntry> entries;
    std::vector<std::string> urls;  ///< main, updates, security
  };
  const std::vector<AptEntry> defaults = {
      {"http://d.test/debian", "default", {"main"}, ""},
      {"http://d.test/debian", "default-updates", {"main"}, ""}};
  const Case cases[] = {
      {"nothing on the host", {}, {"http://d.test/debian", "http://d.test/debian"}},
      {"all on the host",
       {{kMain, "bookworm", {"main"}, ""},
        {kMain, "bookworm-updates", {"main"}, ""},
        {kSecurity, "bookworm-security", {"main"}, ""}},
       {kMain, kMain, kSecurity}},
      {"the host runs another release",
       {{kMain, "trixie", {"main"}, ""}, {kSecurity, "trixie-security", {"main"}, ""}},
       {kMain, "http://d.test/debian", kSecurity}},
      {"somebody else's suite of the same name",
       {{"http://v.test/deb", "bookworm", {"main"}, "/usr/share/keyrings/vendor.gpg"},
        {"http://v.test/deb", "bookworm", {"stable"}, ""},
        {kMain, "bookworm", {"main"}, ""}},
       {kMain, "http://d.test/debian"}},
      {"no suite of the release proper",
       {{kMain, "bookworm-backports", {"main"}, ""}},
       {"http://d.test/debian", "http://d.test/debian"}},
      {"local archives are not for the network",
       {{"file:/srv/debian", "bookworm", {"main"}, ""}},
       {"http://d.test/debian", "http://d.test/debian"}},
  };
  for (const auto& item : cases) {
    INFO(item.name);
    const auto sources = choose_debian_sources("bookworm", item.entries, defaults);
    std::vector<std::string> urls;
    for (const auto& source : sources) {
      urls.push_back(source.url);
      CHECK(source.suite.starts_with("bookworm"));
      CHECK(source.keyring == kDebianKeyring);
      CHECK(source.name == (source.suite == "bookworm-security" ? "debian-security" : "debian"));
    }
    CHECK(urls == item.urls);
  }
}

}  // namespace
}  // namespace slipway::index
