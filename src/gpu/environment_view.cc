#include "gpu/environment_view.h"

#include <charconv>

#include "base/file.h"

namespace slipway::gpu {
namespace {

/// Cuts the next number off; what follows it up to the dot does not count.
int next_part(std::string_view& rest) {
  const std::size_t dot = rest.find('.');
  const std::string_view part = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? "" : rest.substr(dot + 1);
  int value = 0;
  std::from_chars(part.data(), part.data() + part.size(), value);
  return value;
}

}  // namespace

int compare_dotted(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    const int left = next_part(a), right = next_part(b);
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}

std::string_view major_of(std::string_view version) { return version.substr(0, version.find('.')); }

std::string_view major_minor_of(std::string_view version) {
  const std::size_t dot = version.find('.');
  if (dot == std::string_view::npos) return version;
  return version.substr(0, version.find('.', dot + 1));
}

EnvironmentView::EnvironmentView(const Environment& environment) : tree_(environment.layers) {
  for (const LayerLibraries& layer : environment.layers) {
    for (const PythonPackage& package : layer.packages) packages_[package.name] = package;
  }
}

const PythonPackage* EnvironmentView::find_package(std::string_view name) const {
  const auto found = packages_.find(std::string(name));
  return found == packages_.end() ? nullptr : &found->second;
}

std::map<std::string, std::string> EnvironmentView::installed() const {
  std::map<std::string, std::string> all;
  for (const auto& [name, package] : packages_) all[name] = package.version;
  return all;
}

std::string EnvironmentView::subject_of(const LibraryFile& file) {
  return file.owner.empty() ? base_name(file.path) : file.owner;
}

std::vector<const LibraryFile*> EnvironmentView::find_libraries(std::string_view stem) const {
  std::vector<const LibraryFile*> found;
  const std::string plain = fmt::format("{}.so", stem), versioned = plain + ".";
  for (const auto& [path, file] : tree_.files()) {
    const std::string name = file->facts.soname.empty() ? base_name(path) : file->facts.soname;
    if (name == plain || name.starts_with(versioned)) found.push_back(file);
  }
  return found;
}

std::string EnvironmentView::version_of(const LibraryFile& file) {
  // The libraries that torch's own wheels bundle have torch's version, which says nothing here.
  if (file.owner.starts_with("nvidia-")) return file.owner.substr(file.owner.find(' ') + 1);
  const std::string name = base_name(file.path);
  const std::size_t dot = name.find(".so.");
  return dot == std::string::npos ? "" : name.substr(dot + 4);
}

const CudaRelease* find_cuda_release(const CompatibilityTables& tables, std::string_view cuda) {
  for (const CudaRelease& row : tables.cuda_releases) {
    if (row.cuda == cuda) return &row;
  }
  return nullptr;
}

const CudaRelease* find_ptx_driver(const CompatibilityTables& tables, std::string_view ptx) {
  for (const PtxVersion& row : tables.ptx_versions) {
    if (row.ptx == ptx) return find_cuda_release(tables, row.cuda);
  }
  return nullptr;
}

}  // namespace slipway::gpu
