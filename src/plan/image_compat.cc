#include "plan/image_compat.h"

#include <algorithm>

#include "base/file.h"
#include "gpu/driver_library.h"

namespace slipway::plan {
namespace {

constexpr const char* kToolkits = "/usr/local";
constexpr std::string_view kLibcuda = "libcuda.so.";

/// `570.86.15` of `libcuda.so.570.86.15`; nothing of `libcuda.so.1` and of a Jetson's `.1.1`.
std::optional<gpu::DriverVersion> version_in(std::string_view name) {
  if (!name.starts_with(kLibcuda)) return std::nullopt;
  auto version = gpu::parse_driver_version(name.substr(kLibcuda.size()));
  if (!version.ok() || version->parts.size() < 2 || version->branch() <= 1) return std::nullopt;
  return std::move(*version);
}

/// Of the driver's own, of that version, and for computing.
bool is_companion(const std::string& name, const std::string& version) {
  const gpu::DriverLibrary* const library = gpu::find_driver_library(name);
  return library != nullptr && library->capability == "compute" &&
         name == library->name + ".so." + version;
}

/// The names under which programs ask for it: as for the driver's own.
void add_leads(const std::string& name, const std::string& soname, const std::string& path,
               std::vector<gpu::LoaderLead>& leads) {
  leads.push_back({name, path});
  if (!soname.empty() && soname != name) leads.push_back({soname, path});
  const std::string stem = name.substr(0, name.find(".so") + 3);
  if (stem != soname) leads.push_back({stem, path});
}

/// A library that lies in the folder itself: no link leads to it.
std::optional<gpu::CompatLibrary> read_library(const ImageFiles& files, const std::string& path) {
  const auto found = files.find(path);
  if (!found || !found->file || found->path != path) return std::nullopt;
  return gpu::read_compat_library(found->file.get());
}

std::optional<ImageCompat> read_folder(const ImageFiles& files, const std::string& wanted) {
  const auto folder = files.find(wanted);
  if (!folder) return std::nullopt;
  // Elsewhere something else may be mounted at the start: /dev, /proc, /run, /tmp.
  if (!is_within(folder->path, "/usr") && !is_within(folder->path, "/opt")) return std::nullopt;
  // It becomes a line of /etc/ld.so.conf.d.
  const auto is_odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '#'; };
  if (std::ranges::any_of(folder->path, is_odd)) return std::nullopt;
  const std::vector<std::string> names = files.names(folder->path);
  const auto is_libcuda = [](const std::string& name) { return version_in(name).has_value(); };
  if (std::ranges::count_if(names, is_libcuda) != 1) return std::nullopt;
  const std::string& name = *std::ranges::find_if(names, is_libcuda);
  ImageCompat compat;
  compat.folder = folder->path;
  compat.path = join_path(folder->path, name);
  compat.version = *version_in(name);
  auto libcuda = read_library(files, compat.path);
  if (!libcuda) return std::nullopt;
  compat.libcuda = std::move(*libcuda);
  const auto found = files.find(compat.path);
  compat.on_host = found->on_host;
  compat.layer = found->layer;
  add_leads(name, compat.libcuda.soname, compat.path, compat.leads);
  for (const std::string& other : names) {
    if (other == name || !is_companion(other, name.substr(kLibcuda.size()))) continue;
    const std::string path = join_path(compat.folder, other);
    if (const auto library = read_library(files, path)) {
      add_leads(other, library->soname, path, compat.leads);
    }
  }
  return compat;
}

}  // namespace

std::optional<ImageCompat> find_image_compat(const ImageFiles& files) {
  const std::string usual = join_path(kToolkits, "cuda/compat");
  if (files.find(usual)) return read_folder(files, usual);
  std::optional<ImageCompat> newest;
  for (const std::string& name : files.names(kToolkits)) {
    if (!name.starts_with("cuda-")) continue;
    auto compat = read_folder(files, fmt::format("{}/{}/compat", kToolkits, name));
    if (!compat) continue;
    if (!newest || gpu::compare(newest->version, compat->version) < 0) newest = std::move(compat);
  }
  return newest;
}

}  // namespace slipway::plan
