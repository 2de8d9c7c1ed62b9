#include "plan/cdi_loader.h"

#include <sys/stat.h>

#include <map>

#include "base/file.h"
#include "gpu/elf.h"
#include "gpu/loader_cache.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kMostLibraries = 4096;

using Names = std::map<std::string, std::string>;  // name -> path inside

void add_library(const std::string& on_host, const std::string& inside, Names& names) {
  struct stat status {};
  if (names.size() >= kMostLibraries || ::stat(on_host.c_str(), &status) != 0 ||
      !S_ISREG(status.st_mode)) {
    return;
  }
  const Result<MappedFile> file = MappedFile::open(on_host);
  if (!file.ok()) return;
  const auto facts = gpu::read_elf(file->bytes());
  if (!facts.ok() || !*facts || (*facts)->machine != gpu::kThisMachine || !(*facts)->is_64bit) {
    return;
  }
  names[base_name(inside)] = inside;
  if (!(*facts)->soname.empty()) names.emplace((*facts)->soname, inside);
}

void add_folder(const std::string& on_host, const std::string& inside, Names& names) {
  const Result<std::vector<std::string>> entries = list_folder(on_host);
  if (!entries.ok()) return;
  for (const std::string& entry : *entries) {
    if (entry.find(".so") == std::string::npos) continue;
    add_library(join_path(on_host, entry), join_path(inside, entry), names);
  }
}

void add_mount(const run::InjectedMount& mount, const std::string& folder, Names& names) {
  if (parent_path(mount.target) == folder) add_library(mount.source, mount.target, names);
  if (is_within(folder, mount.target)) {
    add_folder(mount.source + folder.substr(mount.target.size()), folder, names);
  }
}

/// A link beside the libraries is one more name of theirs.
void add_link(const run::InjectedLink& link, const std::string& folder, Names& names) {
  if (link.folder != folder || link.name.find(".so") == std::string::npos) return;
  if (!names.contains(base_name(link.target))) return;
  names.emplace(link.name, join_path(folder, link.name));
}

}  // namespace

Result<void> add_loader_names(const std::vector<std::string>& folders, const ImageFiles& files,
                              run::RunRequest& request) {
  Names names;
  for (const std::string& folder : folders) {
    for (const run::InjectedMount& mount : request.injection.mounts) {
      add_mount(mount, folder, names);
    }
    for (const run::InjectedLink& link : request.injection.links) add_link(link, folder, names);
  }
  if (names.empty()) return {};
  std::string known = request.driver.loader_cache;
  if (known.empty()) known = files.text("/etc/ld.so.cache");
  gpu::LoaderCache cache;
  if (!known.empty()) {
    cache = TRY_WHILE("reading /etc/ld.so.cache of the image", gpu::parse_loader_cache(known));
  }
  std::erase_if(cache.entries, [&](const auto& entry) { return names.contains(entry.name); });
  for (const auto& [name, path] : names) {
    cache.entries.push_back({name, path, gpu::library_flags(), 0, 0});
  }
  request.injection.loader_cache = gpu::write_loader_cache(cache);
  request.injection.loader_folders = folders;
  return {};
}

}  // namespace slipway::plan
