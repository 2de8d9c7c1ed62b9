#include "plan/image_diff.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "plan/diff_packages.h"
#include "plan/image_packages.h"

namespace slipway::plan {
namespace {

/// Two images of one layer each.
class TwoImages {
 public:
  void put(std::size_t side, const std::string& path, std::string_view text) {
    const std::string whole = fmt::format("{}/{}{}", room_.path(), side, path);
    REQUIRE(make_folders(parent_path(whole)).ok());
    REQUIRE(write_file(whole, text).ok());
  }
  void put_package(std::size_t side, const std::string& name, const std::string& version,
                   const std::string& files) {
    const std::string place = fmt::format("{}/{}-{}.dist-info", kSite, name, version);
    put(side, place + "/METADATA", fmt::format("Name: {}\nVersion: {}\n", name, version));
    put(side, place + "/RECORD",
        fmt::format("{}{}-{}.dist-info/METADATA,,\n", files, name, version));
  }
  PackagesAndFiles compare() {
    std::vector<std::vector<layer::TreeLayer>> trees;
    std::vector<ImageFiles> files;
    for (const std::size_t side : {0, 1}) {
      const std::string path = fmt::format("{}/{}", room_.path(), side);
      REQUIRE(make_folders(path).ok());
      const Digest id = sha256(fmt::format("{}", side));
      trees.push_back({{id, path}});
      files.emplace_back(std::vector<LayerFolder>{{id, path}});
    }
    auto changes =
        layer::compare_trees(trees[0], trees[1], layer::CompareOwners::Yes, CancelToken());
    return diff_packages(std::move(changes).value(), files[0], files[1]);
  }

  static constexpr const char* kSite = "/opt/venv/lib/python3.11/site-packages";

 private:
  TemporaryFolder room_ = TemporaryFolder::create("/tmp").value();
};

std::vector<std::string> lines_of(const PackagesAndFiles& found) {
  std::vector<std::string> lines;
  for (const PackageDiff& package : found.packages) {
    lines.push_back(fmt::format(
        "{} {} '{}' '{}' +{} -{} ~{} {}", package.kind == PackageKind::Python ? "python" : "debian",
        package.name, package.before, package.after, package.files.added, package.files.removed,
        package.files.changed, package.files.more_bytes));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST_CASE("packages that came, went, changed, or were edited") {
  TwoImages images;
  for (const std::size_t side : {0, 1}) {
    images.put_package(side, "same", "1", "same.py,,\nbin.py,,\n");
    images.put_package(side, "Edited_One", "1.0", "edited.py,,\n");
    images.put(side, std::string(TwoImages::kSite) + "/same.py", "s");
  }
  const std::string site = TwoImages::kSite;
  images.put(0, site + "/edited.py", "123");
  images.put(1, site + "/edited.py", "12345");
  images.put_package(0, "moves", "1.0", "moves.py,,\n../../../bin/moves,,\n");
  images.put_package(1, "moves", "2.0", "moves.py,,\n../../../bin/moves,,\n");
  images.put(0, site + "/moves.py", "old");
  images.put(1, site + "/moves.py", "new!");
  images.put(1, site + "/__pycache__/moves.cpython-311.pyc", "code");
  images.put(0, "/opt/venv/bin/moves", "a");
  images.put(1, "/opt/venv/bin/moves", "b");
  images.put_package(1, "comes", "0.1", "");
  images.put_package(0, "goes", "0.2", "");
  images.put(1, site + "/comes/_vendor/inner-9.dist-info/METADATA", "Name: inner\nVersion: 9\n");
  images.put(1, site + "/nobody.py", "x");
  const PackagesAndFiles found = images.compare();
  std::map<std::string, const PackageDiff*> packages;
  for (const PackageDiff& package : found.packages) packages[package.name] = &package;
  REQUIRE(packages.size() == 4);
  CHECK(packages.at("comes")->before.empty());
  CHECK(packages.at("comes")->after == "0.1");
  CHECK(packages.at("goes")->after.empty());
  CHECK(packages.at("edited-one")->before == "1.0");
  CHECK(packages.at("edited-one")->after == "1.0");
  CHECK(packages.at("edited-one")->files.changed == 1);
  CHECK(packages.at("edited-one")->files.more_bytes == 2);
  CHECK(packages.at("moves")->before == "1.0");
  CHECK(packages.at("moves")->after == "2.0");
  // Two dist-infos of two files each, a module, its bytecode, a script.
  CHECK(packages.at("moves")->files.added == 3);
  CHECK(packages.at("moves")->files.removed == 2);
  CHECK(packages.at("moves")->files.changed == 2);
  std::map<std::string, std::string> owners;
  for (const FileDiff& file : found.files) owners[file.change.path] = file.owner;
  CHECK(owners.at(site + "/__pycache__/moves.cpython-311.pyc") == "moves");
  CHECK(owners.at("/opt/venv/bin/moves") == "moves");
  CHECK(owners.at(site + "/nobody.py").empty());
}

TEST_CASE("Debian packages, and files that lie where they did before /usr") {
  TwoImages images;
  const std::string tail = "\nStatus: install ok installed\nArchitecture: amd64\nVersion: ";
  images.put(
      0, "/var/lib/dpkg/status",
      "Package: libc6" + tail + "1\n\nPackage: gone" + tail + "1\n\nPackage: stays" + tail + "3\n");
  images.put(1, "/var/lib/dpkg/status",
             "Package: libc6" + tail + "2\n\nPackage: stays" + tail + "3\n\nPackage: new" + tail +
                 "1:5\n");
  for (const std::size_t side : {0, 1}) {
    images.put(side, "/var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib/libc.so.6\n");
    images.put(side, "/var/lib/dpkg/info/stays.list", "/usr/bin/stays\n");
    images.put(side, "/usr/lib/libc.so.6", side == 0 ? "one" : "two");
    images.put(side, "/usr/bin/stays", side == 0 ? "one" : "edited");
  }
  CHECK(lines_of(images.compare()) ==
        Lines{"debian stays '3' '3' +0 -0 ~1 3", "debian gone '1' '' +0 -0 ~0 0",
              "debian libc6 '1' '2' +0 -0 ~1 0", "debian new '' '1:5' +0 -0 ~0 0"});
}

TEST_CASE("names of bytecode and folders") {
  CHECK(source_of_bytecode("/a/__pycache__/x.cpython-311.opt-1.pyc") == "/a/x.py");
  CHECK(source_of_bytecode("/a/x.pyc") == "/a/x.pyc");
  CHECK(site_folder_of("/v/lib/python3.11/site-packages/a/site-packages/b") ==
        "/v/lib/python3.11/site-packages");
  CHECK(site_folder_of("/usr/bin/x").empty());
  CHECK(is_site_folder("/usr/lib/python3/dist-packages"));
  CHECK_FALSE(is_site_folder("/v/site-packages/pip/site-packages"));
  CHECK_FALSE(is_site_folder("/v/site-packages/setuptools/_vendor"));
}

TEST_CASE("packages whose METADATA says nothing go by their folder") {
  const auto broken = read_python_package("/v/python3.9/site-packages/A.b-1.0.dist-info", "\xff");
  REQUIRE(broken);
  CHECK(broken->name == "a-b");
  CHECK(broken->metadata.version == "1.0");
  CHECK(broken->python == "3.9");
  CHECK(read_python_package("/x/six-1.16.0-py3.egg-info", "")->metadata.version == "1.16.0");
  CHECK_FALSE(read_python_package("/x/.dist-info", ""));
  CHECK_FALSE(
      read_python_package("/x/a.dist-info", "Name: " + std::string(9999, 'a') + "\nVersion: 1\n"));
}

TEST_CASE("configurations, field by field") {
  oci::ImageConfig one, other;
  one.env = {"PATH=/bin", "GONE=1", "SAME=1"};
  other.env = {"PATH=/usr/bin", "SAME=1", "NEW="};
  one.cmd = {"sh"};
  other.cmd = {"sh", "-c", "a b", ""};
  one.created = "2020-01-01T00:00:00Z";
  other.exposed_ports = {"80/tcp"};
  std::vector<std::string> lines;
  for (const ConfigDiff& diff : diff_configs(one, other))
    lines.push_back(fmt::format("{}|{}|{}|{}{}", diff.field, diff.before, diff.after,
                                diff.was_there ? 1 : 0, diff.is_there ? 1 : 0));
  CHECK(lines == Lines{"command|sh|sh -c 'a b' ''|11", "environment GONE|1||10",
                       "environment NEW|||01", "environment PATH|/bin|/usr/bin|11",
                       "port 80/tcp|||01"});
  CHECK(diff_configs(one, one).empty());
}

gpu::LibraryFile library(const std::string& path, const std::string& owner,
                         std::vector<std::string> targets) {
  gpu::LibraryFile file;
  file.path = path;
  file.owner = owner;
  for (const std::string& target : targets)
    file.code.groups.push_back(
        {gpu::CodeKind::Sass, gpu::parse_code_target(target).value(), "", 1, 1});
  return file;
}

TEST_CASE("code for GPUs, of packages that both have") {
  gpu::LayerLibraries one, other;
  one.elves = {library("/a.so", "torch 2.6", {"sm_50", "sm_90"}),
               library("/b.so", "old 1", {"sm_50"})};
  other.elves = {library("/a.so", "torch 2.7", {"sm_90", "sm_120"})};
  other.elves[0].code.groups.push_back(
      {gpu::CodeKind::Ptx, gpu::parse_code_target("sm_120").value(), "8.7", 1, 1});
  const auto diffs = diff_code(std::span(&one, 1), std::span(&other, 1));
  REQUIRE(diffs.size() == 2);
  CHECK(diffs[0].package.empty());
  CHECK(diffs[1].package == "torch");
  CHECK(diffs[1].gained == Lines{"sm_120", "compute_120"});
  CHECK(diffs[1].lost == Lines{"sm_50"});
  CHECK(diff_code(std::span(&one, 1), std::span(&one, 1)).empty());
}

}  // namespace
}  // namespace slipway::plan
