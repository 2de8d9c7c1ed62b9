#include "plan/path_owners.h"

#include <algorithm>

#include "base/file.h"
#include "layer/record_file.h"
#include "plan/image_packages.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kInfoFolder = "/var/lib/dpkg/info/";
constexpr std::string_view kListEnd = ".list";
constexpr std::string_view kRecordEnd = ".dist-info/RECORD";
constexpr std::string_view kCache = "/__pycache__/";

/// `libc6` of `libc6:amd64.list`, of `libc6:amd64.md5sums` and the like.
std::string deb_of_info(std::string_view name) {
  name = name.substr(0, name.rfind('.'));
  return std::string(name.substr(0, name.find(':')));
}

}  // namespace

std::string source_of_bytecode(const std::string& path) {
  const std::size_t cache = path.rfind(kCache);
  if (cache == std::string::npos || !path.ends_with(".pyc")) return path;
  const std::string name = path.substr(cache + kCache.size());
  const std::size_t tag = name.find('.');
  return path.substr(0, cache + 1) + name.substr(0, tag) + ".py";
}

std::string site_folder_of(std::string_view path) {
  for (const std::string_view name : {"/site-packages/", "/dist-packages/"}) {
    const std::size_t at = path.find(name);
    if (at != std::string_view::npos) return std::string(path.substr(0, at + name.size() - 1));
  }
  return {};
}

PathOwners::PathOwners(const ImageFiles& files, const std::set<std::string>& paths)
    : files_(files) {
  for (const std::string& path : paths) by_path_.emplace(source_of_bytecode(path), -1);
  for (const std::string& path : paths) {
    if (path.ends_with(kRecordEnd)) read_record(parent_path(path));
    if (path.starts_with(kInfoFolder) && path.ends_with(kListEnd)) read_dpkg_list(base_name(path));
  }
  read_other_records(paths);
  own_dpkg_files();
  if (has_unknown_below("/")) read_other_dpkg_lists(paths);
  own_dpkg_files();
}

bool PathOwners::has_unknown_below(const std::string& folder) const {
  return std::ranges::any_of(by_path_, [&](const auto& entry) {
    return entry.second < 0 && entry.first.starts_with(folder);
  });
}

void PathOwners::read_other_records(const std::set<std::string>& paths) {
  std::set<std::string> sites;
  for (const std::string& path : paths) sites.insert(site_folder_of(path));
  for (const std::string& site : sites) {
    if (site.empty() || !has_unknown_below(site + "/")) continue;
    for (const std::string& name : files_.names(site)) {
      const std::string place = join_path(site, name);
      if (place.ends_with(".dist-info") && !paths.contains(place + "/RECORD")) read_record(place);
    }
  }
}

void PathOwners::read_other_dpkg_lists(const std::set<std::string>& paths) {
  for (const std::string& name : files_.names(kInfoFolder.substr(0, kInfoFolder.size() - 1))) {
    const std::string path = std::string(kInfoFolder) + name;
    if (name.ends_with(kListEnd) && !paths.contains(path)) read_dpkg_list(name);
  }
}

void PathOwners::add(const std::string& path, std::size_t owner) {
  const auto wanted = by_path_.find(path);
  if (wanted != by_path_.end() && wanted->second < 0)
    wanted->second = static_cast<std::ptrdiff_t>(owner);
}

void PathOwners::read_record(const std::string& place) {
  const auto package = read_python_package(place, "");
  const auto record = layer::parse_record(files_.text(place + "/RECORD"));
  if (!package || !record.ok()) return;
  owners_.push_back({PackageKind::Python, package->name, package->metadata.version});
  for (const auto& [row, unused] : *record) {
    const Result<std::string> path = absolute_path(parent_path(place) + "/" + row);
    if (path.ok()) add(*path, owners_.size() - 1);
  }
  add(place + "/RECORD", owners_.size() - 1);
}

/// Lists may name paths as they were before /usr took them all in.
void PathOwners::read_dpkg_list(const std::string& name) {
  owners_.push_back({PackageKind::Debian, deb_of_info(name), ""});
  const std::string list = files_.text(std::string(kInfoFolder) + name);
  for (std::string_view rest = list; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string path(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    add(path, owners_.size() - 1);
    if (!path.starts_with("/usr/")) add("/usr" + path, owners_.size() - 1);
  }
}

/// What dpkg keeps about a package is the package's.
void PathOwners::own_dpkg_files() {
  for (auto& [path, owner] : by_path_) {
    if (owner >= 0 || !path.starts_with(kInfoFolder)) continue;
    const std::string deb = deb_of_info(base_name(path));
    const auto found = std::ranges::find(owners_, PathOwner{PackageKind::Debian, deb, ""});
    if (found != owners_.end()) owner = found - owners_.begin();
  }
}

const PathOwner* PathOwners::find(const std::string& path) const {
  const auto found = by_path_.find(source_of_bytecode(path));
  if (found == by_path_.end() || found->second < 0) return nullptr;
  return &owners_[static_cast<std::size_t>(found->second)];
}

}  // namespace slipway::plan
