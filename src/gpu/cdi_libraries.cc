#include "gpu/cdi_libraries.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "gpu/driver_files.h"

namespace slipway::gpu {
namespace {

// They have versions of their own: NVIDIA's EGL platforms, and the NVVM of old drivers.
constexpr const char* kOwnVersions[] = {
    "libnvidia-egl-gbm.so.*.*", "libnvidia-egl-wayland.so.*.*", "libnvidia-egl-wayland2.so.*.*",
    "libnvidia-egl-xcb.so.*.*", "libnvidia-egl-xlib.so.*.*",    "libnvidia-nvvm70.so.*"};

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
}

std::vector<std::string> names_of(const std::string& name, const std::string& soname,
                                  const HostGpus& host) {
  std::vector<std::string> names;
  if (!soname.empty() && soname != name) names.push_back(soname);
  const auto has_link = [&](const std::string& link) {
    return std::any_of(host.library_links.begin(), host.library_links.end(),
                       [&](const DriverLink& known) { return known.name == link; });
  };
  const std::string stem = name.substr(0, name.find(".so") + 3);
  if (stem != name && stem != soname && has_link(stem)) names.push_back(stem);
  return names;
}

Result<void> add_matches(const std::string& folder, const std::string& search_folder,
                         const std::string& pattern, const HostGpus& host,
                         std::vector<CdiLibrary>& libraries) {
  if (!is_folder(folder)) return {};
  for (const std::string& name : TRY(list_folder(folder))) {
    const std::string path = join_path(folder, name);
    if (!matches(pattern, name)) continue;
    const std::optional<std::string> soname = TRY(read_soname(path));
    if (soname) libraries.push_back({path, search_folder, names_of(name, *soname, host)});
  }
  return {};
}

}  // namespace

Result<std::vector<CdiLibrary>> find_cdi_libraries(const HostGpus& host, const std::string& root) {
  std::vector<std::string> folders = driver_library_folders(root, host.is_wsl);
  for (const std::string& path : host.libraries) folders.push_back(parent_path(path));
  const std::string real_root = real_path(root);
  std::vector<CdiLibrary> libraries;
  std::set<std::string> seen;
  for (const std::string& folder : folders) {
    const std::string real = real_path(folder);
    if (real.empty() || !is_within(real, real_root) || !seen.insert(real).second) continue;
    std::vector<CdiLibrary> found;
    TRY(add_matches(folder, folder, "*.so." + host.driver_version, host, found));
    if (found.empty()) continue;
    TRY(add_matches(join_path(folder, "vdpau"), folder, "*.so." + host.driver_version, host,
                    found));
    for (const char* pattern : kOwnVersions) TRY(add_matches(folder, folder, pattern, host, found));
    libraries.insert(libraries.end(), found.begin(), found.end());
  }
  return libraries;
}

}  // namespace slipway::gpu
