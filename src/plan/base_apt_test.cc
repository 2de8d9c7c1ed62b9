#include "plan/base_apt.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "layer/testing/tar_maker.h"
#include "plan/base_facts.h"

namespace slipway::plan {
namespace {

using layer::testing::RawEntry;

RawEntry file(std::string path, std::string text) {
  return {std::move(path), '0', std::move(text)};
}
TarTree tree_of(const std::vector<RawEntry>& entries) {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp").value();
  std::string tar;
  for (const RawEntry& entry : entries) tar += raw_entry(entry);
  const std::string blob = folder.path() + "/layer";
  REQUIRE(write_file(blob, tar + layer::testing::tar_end()).ok());
  const std::string blobs[] = {blob};
  return read_base_tree(blobs, {}).value();
}

TEST_CASE("which distribution a base is, and whether packages can be put onto it") {
  const RawEntry release =
      file("usr/lib/os-release", "ID=ubuntu\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n");
  const RawEntry status = file("var/lib/dpkg/status", "Package: a\nVersion: 1\n");
  const BaseSystem whole = find_base_system(tree_of({release, status, file("usr/bin/dpkg", "x")}));
  CHECK(whole.distribution == "ubuntu");
  CHECK(whole.codename == "jammy");
  CHECK(whole.has_dpkg);
  CHECK(whole.status.size() == 1);
  CHECK_FALSE(whole.is_debian());
  CHECK_FALSE(find_base_system(tree_of({release, status})).has_dpkg);
  // As images "without a distribution" have it: lists for scanners alone.
  const BaseSystem bare = find_base_system(tree_of(
      {file("etc/os-release", "ID=debian\n"), file("var/lib/dpkg/status.d/a", "Package: a\n"),
       file("var/lib/dpkg/status.d/a.md5sums", "x"), file("usr/bin/dpkg", "x")}));
  CHECK_FALSE(bare.has_dpkg);
  CHECK(bare.status.size() == 1);
  CHECK(bare.is_debian());
}

TEST_CASE("the keys of a base's archives") {
  const TemporaryFolder cache = TemporaryFolder::create("/tmp").value();
  SilentReporter reporter;
  const Tools tools{reporter, {}, cache.path(), cache.path(), {}, store::Owner::current()};
  const TarTree tree =
      tree_of({file("etc/os-release", "ID=ubuntu\n"), file("usr/share/keyrings/u.gpg", "\x99key"),
               file("etc/apt/trusted.gpg.d/a.gpg", "\x99one"),
               file("etc/apt/trusted.gpg.d/b.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\nbroken"),
               file("etc/apt/trusted.gpg.d/c.gpg", "\x99two"),
               file("etc/apt/trusted.gpg.d/d.txt", "none")});
  const auto keys_of = [&](const std::string& signed_by) -> Result<std::string> {
    auto sources = TRY(with_base_keys({{"ubuntu", "http://u.test", "jammy", {"main"}, signed_by}},
                                      tree, "base:1", tools));
    return read_file(sources[0].keyring);
  };
  CHECK(keys_of("/usr/share/keyrings/u.gpg").value() == "\x99key");
  CHECK(keys_of("").value() == "\x99one\x99two");
  const auto missing = keys_of("/usr/share/keyrings/v.gpg");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().kind == ErrorKind::Unsupported);
  CHECK(missing.error().message == "the base `base:1` has no key for its archive `ubuntu`");
  CHECK(keys_of("/etc/apt/trusted.gpg.d/b.asc").error().kind == ErrorKind::Corrupt);
}

}  // namespace
}  // namespace slipway::plan
