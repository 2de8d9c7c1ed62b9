#include "index/debian_text.h"

#include <doctest/doctest.h>

#include "index/debian_signature.h"

namespace slipway::index {
namespace {

TEST_CASE("paragraphs end at blank lines and fields go on in indented ones") {
  std::string_view text = "\n\nA: 1\nB:\n x\n y\n# no\nbroken\n \nC: 2";
  std::vector<std::pair<std::string, std::string>> seen;
  const auto keep = [&](std::string_view name, std::string_view value) {
    seen.emplace_back(name, value);
  };
  CHECK(next_paragraph(text, keep));
  CHECK(seen == std::vector<std::pair<std::string, std::string>>{{"A", "1"}, {"B", "x\n y"}});
  CHECK(next_paragraph(text, keep));
  CHECK(seen.back() == std::pair<std::string, std::string>{"C", "2"});
  CHECK_FALSE(next_paragraph(text, keep));
}

TEST_CASE("a Packages stanza gives what we need and ignores the rest") {
  std::string_view text =
      "Package: git\nVersion: 1:2.39\nDescription: x\n Depends: not this\nSizeless: 7\nSize: 12\n"
      "Pre-Depends: a\nPriority: optional\n\nPackage: tmux";
  PackageStanza stanza;
  REQUIRE(next_package(text, stanza));
  CHECK(stanza.package == "git");
  CHECK(stanza.version == "1:2.39");
  CHECK(stanza.size == "12");
  CHECK(stanza.pre_depends == "a");
  CHECK(stanza.depends.empty());
  REQUIRE(next_package(text, stanza));
  CHECK(stanza.package == "tmux");
  CHECK(stanza.version.empty());
  CHECK_FALSE(next_package(text, stanza));
}

TEST_CASE("relations") {
  struct Case {
    std::string_view text;
    std::vector<std::vector<Relation>> elements;
    bool good = true;
  };
  const Case cases[] = {
      {"", {}},
      {"libc6 (>= 2.36)", {{{"libc6", ">=", "2.36"}}}},
      {"a|b (<<1) , c:any", {{{"a", "", ""}, {"b", "<<", "1"}}, {{"c", "", ""}}}},
      {"python3:any (>= 3.11~)", {{{"python3", ">=", "3.11~"}}}},
      {"a,, b", {{{"a", "", ""}}, {{"b", "", ""}}}},
      {"a\n b", {}, false},
      {"a (>= )", {}, false},
      {"a (1)", {}, false},
      {"a (>= 1", {}, false},
      {"|", {}, false},
      {"a (=> 1)", {}, false},
      {"a ) b", {}, false},
  };
  for (const auto& item : cases) {
    INFO(item.text);
    std::vector<std::vector<Relation>> seen;
    CHECK(parse_relations(item.text, [&](const std::vector<Relation>& alternatives) {
            seen.push_back(alternatives);
          }) == item.good);
    if (item.good) CHECK(seen == item.elements);
  }
}

TEST_CASE("the upstream number of a version") {
  CHECK(upstream_number("3.11.2-6+deb12u6") == "3.11.2");
  CHECK(upstream_number("2.35-0ubuntu3.8") == "2.35");
  CHECK(upstream_number("1:3.13.0~rc2-1") == "3.13.0");
  CHECK(upstream_number("") == "");
}

TEST_CASE("release dates") {
  CHECK(parse_release_date("Sat, 11 Jul 2026 10:16:37 UTC").value() == 1783764997);
  CHECK(parse_release_date("Thu, 01 Jan 1970 00:00:00 UTC").value() == 0);
  CHECK(parse_release_date("Thu, 01 Jan 1970  0:00:07 UTC").value() == 7);
  for (const std::string_view bad :
       {"", "yesterday", "Sat, 31 Feb 2026 10:16:37 UTC", "Sat, 11 Jul 2026 10:16:37 CEST",
        "Sat, 11 Jul 2026 25:16:37 UTC", "Sat, 11 Jux 2026 10:16:37 UTC",
        "Sat, 11 Jul 99999 10:16:37 UTC", "Sat, 11 Jul 2026 1x:16:37 UTC",
        "Sat, 11 Jul 2026 10.16:37 UTC", "Sat, 11 Jul 2026 :16:37 UTC",
        "Sat, 11 Jul 2026 110:16:37 UTC"}) {
    INFO(bad);
    CHECK_FALSE(parse_release_date(bad));
  }
}

constexpr std::string_view kRelease =
    "Suite: oldstable\nCodename: bookworm\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n"
    "Valid-Until: Sat, 18 Jul 2026 10:16:37 UTC\nAcquire-By-Hash: yes\nSHA256:\n"
    " e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855        0 main/Packages\n";

TEST_CASE("a Release is checked for its suite and its dates") {
  const auto release = parse_release(kRelease).value();
  CHECK(release.by_hash);
  CHECK(release.files.at("main/Packages").size_bytes == 0);
  const std::int64_t week = 7 * 86400;
  CHECK(check_release(release, "bookworm", release.date + week));
  CHECK(check_release(release, "oldstable", release.date));
  const auto foreign = check_release(release, "trixie", release.date);
  REQUIRE_FALSE(foreign.ok());
  CHECK(foreign.error().message.find("`bookworm`") != std::string::npos);
  const auto expired = check_release(release, "bookworm", release.date + week + 1);
  REQUIRE_FALSE(expired.ok());
  CHECK(expired.error().message.find("expired") != std::string::npos);
  CHECK_FALSE(expired.error().hints.empty());
  CHECK_FALSE(check_release(release, "bookworm", release.date - week));
}

TEST_CASE("a Release that is cut short or lies about paths is refused") {
  const std::string text(kRelease);
  CHECK_FALSE(parse_release(""));
  CHECK_FALSE(parse_release("Codename: x\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n"));
  CHECK_FALSE(parse_release(text.substr(0, text.size() - 20)));
  CHECK_FALSE(parse_release(text + " e3b0 0 main/x\n"));
  CHECK_FALSE(parse_release(text + " " + std::string(64, 'a') + " 1 ../../x\n"));
  CHECK_FALSE(parse_release(text + " " + std::string(64, 'a') + " -1 main/x\n"));
}

TEST_CASE("gpgv's status lines") {
  const std::string good = "[GNUPG:] GOODSIG 6ED0 Somebody\n";
  const std::string valid = "[GNUPG:] VALIDSIG 4CB5 2026-07-11 1783765031 0 4 0 1 8 01 B8B8\n";
  const std::string weak = "[GNUPG:] VALIDSIG 4CB5 2026-07-11 1783765031 0 4 0 1 2 01 B8B8\n";
  const std::string expired = "[GNUPG:] EXPKEYSIG 6ED0 Somebody\n";
  const std::string unknown = "[GNUPG:] NEWSIG\n[GNUPG:] ERRSIG 12 1 8 01\n[GNUPG:] NO_PUBKEY 12\n";
  const std::string start = "[GNUPG:] NEWSIG\n";
  CHECK(check_gpgv_status(start + good + valid));
  CHECK(check_gpgv_status(unknown + start + good + valid));
  CHECK(check_gpgv_status(start + expired + valid + start + good + valid));
  CHECK_FALSE(check_gpgv_status(""));
  CHECK_FALSE(check_gpgv_status(start + good));
  CHECK_FALSE(check_gpgv_status(start + good + start + valid));
  CHECK_FALSE(check_gpgv_status(start + good + weak));
  CHECK_FALSE(check_gpgv_status(start + expired + valid));
  CHECK_FALSE(check_gpgv_status(start + good + valid + start + "[GNUPG:] BADSIG 12 x\n"));
  CHECK_FALSE(check_gpgv_status("GOODSIG 6ED0 x\nVALIDSIG 1 2 3 4 5 6 7 8 9\n"));
  CHECK(check_gpgv_status(unknown).error().because.front().find("12") != std::string::npos);
}

}  // namespace
}  // namespace slipway::index
