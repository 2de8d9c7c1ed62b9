#include "plan/diff_packages.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/file.h"
#include "plan/image_packages.h"

namespace slipway::plan {
namespace {

using Look = layer::FileLook;

/// A package: its kind, its name, and where it stands (Python's site folder, Debian's
/// architecture).
struct Key {
  PackageKind kind;
  std::string name, place;
  auto operator<=>(const Key&) const = default;
};

bool is_folder(const std::optional<Look>& look) {
  return !look || look->kind == Look::Kind::Folder;
}

/// The dist-info or egg-info whose metadata a path is; empty for other paths.
std::string place_of_metadata(const std::string& path) {
  const std::string folder = parent_path(path), name = base_name(path);
  if (name == "METADATA" && folder.ends_with(".dist-info")) return folder;
  if (name == "PKG-INFO" && folder.ends_with(".egg-info")) return folder;
  return path.ends_with(".egg-info") ? path : std::string();
}

void count(const layer::PathChange& change, FileCounts& counts) {
  if (is_folder(change.before) && is_folder(change.after)) return;
  if (!change.before) ++counts.added;
  if (!change.after) ++counts.removed;
  if (change.before && change.after) ++counts.changed;
  const auto bytes = [](const std::optional<Look>& look) {
    return look ? static_cast<std::int64_t>(look->size_bytes) : 0;
  };
  counts.more_bytes += bytes(change.after) - bytes(change.before);
}

class Grouper {
 public:
  Grouper(const ImageFiles& before, const ImageFiles& after) : files_{&before, &after} {}

  void note_python(const layer::PathChange& change) {
    const std::string place = place_of_metadata(change.path);
    // What a package brings along for itself is a part of it.
    const std::string site = parent_path(place);
    if (place.empty() || (!is_site_folder(site) && !site_folder_of(site).empty())) return;
    for (const std::size_t side : {0, 1}) {
      const auto& look = side == 0 ? change.before : change.after;
      if (!look || look->kind == Look::Kind::Folder) continue;
      const auto package = read_python_package(place, files_[side]->text(change.path));
      if (package)
        version_of(side, {PackageKind::Python, package->name, site}) = package->metadata.version;
    }
  }

  void note_debs() {
    for (const std::size_t side : {0, 1}) {
      for (const index::InstalledDeb& deb : read_installed_debs(*files_[side]))
        version_of(side, {PackageKind::Debian, deb.name, deb.architecture}) = deb.version;
    }
    std::erase_if(packages_, [](const auto& entry) {
      return entry.first.kind == PackageKind::Debian && entry.second.before == entry.second.after;
    });
  }

  /// Gives the file to its package, which is one that differs from now on.
  std::string assign(const layer::PathChange& change, const PathOwner& owner) {
    const std::string site = owner.kind == PackageKind::Python ? site_folder_of(change.path) : "";
    PackageDiff* package = find(owner, site);
    if (package == nullptr) {
      package = &packages_[{owner.kind, owner.name, site}];
      package->kind = owner.kind;
      package->name = owner.name;
      package->before = package->after = owner.version;
      if (owner.kind == PackageKind::Debian)
        package->before = package->after = deb_version(owner.name);
    }
    count(change, package->files);
    return package->name;
  }

  std::vector<PackageDiff> finish() {
    std::vector<PackageDiff> packages;
    for (auto& [key, package] : packages_) packages.push_back(std::move(package));
    std::ranges::stable_sort(packages, [](const PackageDiff& a, const PackageDiff& b) {
      if (a.kind != b.kind) return a.kind < b.kind;
      return std::abs(a.files.more_bytes) > std::abs(b.files.more_bytes);
    });
    return packages;
  }

 private:
  std::string& version_of(std::size_t side, const Key& key) {
    PackageDiff& package = packages_[key];
    package.kind = key.kind;
    package.name = key.name;
    return side == 0 ? package.before : package.after;
  }

  /// In its site folder; for what lies outside (scripts), in any.
  PackageDiff* find(const PathOwner& owner, const std::string& site) {
    for (auto package = packages_.lower_bound({owner.kind, owner.name, ""});
         package != packages_.end() && package->first.kind == owner.kind &&
         package->first.name == owner.name;
         ++package) {
      if (site.empty() || package->first.place == site) return &package->second;
    }
    return nullptr;
  }

  std::string deb_version(const std::string& name) {
    if (installed_.empty()) {
      for (const index::InstalledDeb& deb : read_installed_debs(*files_[1]))
        installed_.emplace(deb.name, deb.version);
    }
    const auto found = installed_.find(name);
    return found == installed_.end() ? std::string() : found->second;
  }

  const ImageFiles* files_[2];
  std::map<Key, PackageDiff> packages_;
  std::map<std::string, std::string> installed_;
};

bool is_of_dpkg(const std::string& path) {
  return path == "/var/lib/dpkg/status" || path.starts_with("/var/lib/dpkg/status.d/");
}

}  // namespace

PackagesAndFiles diff_packages(std::vector<layer::PathChange> changes, const ImageFiles& before,
                               const ImageFiles& after) {
  Grouper grouper(before, after);
  std::set<std::string> paths[2];
  for (const layer::PathChange& change : changes) {
    grouper.note_python(change);
    if (!is_folder(change.before)) paths[0].insert(change.path);
    if (!is_folder(change.after)) paths[1].insert(change.path);
  }
  if (std::ranges::any_of(changes, is_of_dpkg, &layer::PathChange::path)) grouper.note_debs();
  const PathOwners before_owners(before, paths[0]), after_owners(after, paths[1]);
  PackagesAndFiles found;
  for (layer::PathChange& change : changes) {
    FileDiff file{std::move(change), ""};
    const PathOwner* owner = after_owners.find(file.change.path);
    if (owner == nullptr) owner = before_owners.find(file.change.path);
    if (owner != nullptr) file.owner = grouper.assign(file.change, *owner);
    // The list of packages, which is told above.
    if (is_of_dpkg(file.change.path)) file.owner = "dpkg";
    found.files.push_back(std::move(file));
  }
  found.packages = grouper.finish();
  return found;
}

}  // namespace slipway::plan
