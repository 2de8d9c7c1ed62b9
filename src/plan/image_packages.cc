#include "plan/image_packages.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "gpu/remedy.h"
#include "plan/layer_facts.h"
#include "plan/os_release.h"
#include "version/package_name.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kDistInfo = ".dist-info", kEggInfo = ".egg-info";
constexpr std::size_t kLongestWord = 256;  ///< of a name or a version

/// Names that a metadata file may have in the folder, in the order of who counts.
bool is_metadata_folder(std::string_view name) {
  return name.ends_with(kDistInfo) || name.ends_with(kEggInfo);
}

/// `numpy-2.1.0.dist-info`, `six-1.16.0-py3.11.egg-info`.
index::CoreMetadata metadata_of_name(std::string_view name) {
  index::CoreMetadata metadata;
  name = name.substr(0, name.rfind('.'));
  const std::size_t dash = name.find('-');
  metadata.name = name.substr(0, dash);
  if (dash == std::string_view::npos) return metadata;
  const std::string_view rest = name.substr(dash + 1);
  metadata.version = rest.substr(0, rest.find('-'));
  return metadata;
}

/// `3.11` of `/opt/venv/lib/python3.11/site-packages`.
std::string python_of(std::string_view path) {
  constexpr std::string_view kMark = "/python3.";
  const std::size_t at = path.find(kMark);
  if (at == std::string_view::npos) return {};
  std::string_view rest = path.substr(at + kMark.size());
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  return "3." + std::string(rest.substr(0, digits));
}

/// Folders of Python packages: those that the facts tell, and where egg-infos alone may be.
Result<std::set<std::string>> find_site_folders(const StoredImage& image, const ImageFiles& files,
                                                const store::Store& store, const Tools& tools) {
  const std::vector<ImageLayer> layers = image.layers();
  std::vector<gpu::LayerLibraries> facts(layers.size());
  const auto read = [&](std::size_t i) -> Result<void> {
    facts[i] = TRY(read_layer_facts(store, layers[i].diff_id, tools));
    return {};
  };
  TRY(for_each_parallel(layers.size(), usable_cores(), tools.cancel, read));
  std::set<std::string> folders = {"/usr/lib/python3/dist-packages"};
  for (const gpu::LayerLibraries& layer : facts) {
    for (const gpu::PythonPackage& package : layer.packages)
      folders.insert(parent_path(package.folder));
  }
  std::set<std::string> libs = {"/usr/lib", "/usr/local/lib"};
  for (const std::string& folder : folders) {
    if (is_site_folder(folder)) libs.insert(parent_path(parent_path(folder)));
  }
  for (const std::string& lib : libs) {
    for (const std::string& name : files.names(lib)) {
      if (!name.starts_with("python3")) continue;
      folders.insert(fmt::format("{}/{}/site-packages", lib, name));
      folders.insert(fmt::format("{}/{}/dist-packages", lib, name));
    }
  }
  return folders;
}

void read_site_folder(const std::string& folder, const ImageFiles& files, const Tools& tools,
                      std::vector<InstalledPython>& packages) {
  for (const std::string& name : files.names(folder)) {
    if (!is_metadata_folder(name)) continue;
    const std::string place = join_path(folder, name);
    const std::string path = metadata_path(files, place);
    const std::string text = files.text(path);
    if (text.empty())
      tools.reporter.warn(fmt::format("`{}` is empty, not there, or too large to be one", path));
    if (auto package = read_python_package(place, text)) packages.push_back(std::move(*package));
  }
}

}  // namespace

bool is_site_folder(std::string_view path) {
  const auto is_name = [](std::string_view name) {
    return name == "site-packages" || name == "dist-packages";
  };
  if (!is_name(path.substr(path.rfind('/') + 1))) return false;
  const std::string_view above = path.substr(0, path.rfind('/'));
  return above.find("/site-packages/") == std::string_view::npos &&
         above.find("/dist-packages/") == std::string_view::npos;
}

std::optional<InstalledPython> read_python_package(const std::string& place,
                                                   const std::string& metadata) {
  InstalledPython package;
  package.place = place;
  package.python = python_of(place);
  auto parsed = index::parse_core_metadata(metadata);
  package.metadata = parsed.ok() ? std::move(*parsed) : metadata_of_name(base_name(place));
  const std::string& name = package.metadata.name;
  if (name.empty() || name.size() > kLongestWord || package.metadata.version.size() > kLongestWord)
    return std::nullopt;
  const auto normal = version::PackageName::parse(name);
  package.name = normal.ok() ? normal->text() : gpu::package_of(name);
  return package;
}

std::string metadata_path(const ImageFiles& files, const std::string& place) {
  if (place.ends_with(kDistInfo)) return place + "/METADATA";
  const auto found = files.find(place);
  return found && found->file ? place : place + "/PKG-INFO";
}

std::vector<index::InstalledDeb> read_installed_debs(const ImageFiles& files) {
  constexpr std::string_view kFolder = "/var/lib/dpkg";
  std::vector<index::InstalledDeb> debs =
      index::parse_installed_debs(files.text(fmt::format("{}/status", kFolder)));
  // Images without dpkg keep one file a package here.
  for (const std::string& name : files.names(fmt::format("{}/status.d", kFolder))) {
    if (name.ends_with(".md5sums")) continue;
    auto more =
        index::parse_installed_debs(files.text(fmt::format("{}/status.d/{}", kFolder, name)));
    std::ranges::move(more, std::back_inserter(debs));
  }
  std::ranges::stable_sort(debs, [](const index::InstalledDeb& a, const index::InstalledDeb& b) {
    return std::tie(a.name, a.architecture) < std::tie(b.name, b.architecture);
  });
  return debs;
}

Result<ImagePackages> read_image_packages(const StoredImage& image, const ImageFiles& files,
                                          const store::Store& store, const Tools& tools) {
  ImagePackages packages;
  std::set<std::string> seen;  // folders, by where they really are
  for (const std::string& folder : TRY(find_site_folders(image, files, store, tools))) {
    TRY(tools.cancel.check());
    const auto real = files.find(folder);
    if (!real || !seen.insert(real->path).second) continue;
    const bool is_vendored =
        !is_site_folder(real->path) && (real->path.find("/site-packages/") != std::string::npos ||
                                        real->path.find("/dist-packages/") != std::string::npos);
    if (!is_vendored) read_site_folder(real->path, files, tools, packages.python);
  }
  std::ranges::sort(packages.python, [](const InstalledPython& a, const InstalledPython& b) {
    return std::tie(a.name, a.place) < std::tie(b.name, b.place);
  });
  packages.debian = read_installed_debs(files);
  const std::string os_release = files.text("/etc/os-release");
  packages.distribution = os_release_word(os_release, "ID");
  packages.distribution_version = os_release_word(os_release, "VERSION_ID");
  return packages;
}

}  // namespace slipway::plan
