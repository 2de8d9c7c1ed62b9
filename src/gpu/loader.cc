#include "gpu/loader.h"

#include <algorithm>

#include "base/file.h"
#include "gpu/loader_configuration.h"

namespace slipway::gpu {
namespace {

/// The multiarch name of Debian's library folders (wiki: Multiarch/Tuples); empty where unknown.
std::string_view multiarch(const ElfFacts& facts) {
  if (facts.machine == kMachineX86_64 && facts.is_64bit) return "x86_64-linux-gnu";
  if (facts.machine == kMachineX86) return "i386-linux-gnu";
  if (facts.machine == kMachineAarch64) return "aarch64-linux-gnu";
  return "";
}

std::string_view platform(const ElfFacts& facts) {
  if (facts.machine == kMachineX86_64) return "x86_64";
  return facts.machine == kMachineAarch64 ? "aarch64" : "i686";
}

bool same_kind(const ElfFacts& a, const ElfFacts& b) {
  return a.machine == b.machine && a.is_64bit == b.is_64bit;
}

void replace_token(std::string& text, std::string_view name, std::string_view value) {
  for (const std::string& token : {fmt::format("${{{}}}", name), fmt::format("${}", name)}) {
    for (std::size_t at = 0; (at = text.find(token, at)) != std::string::npos; at += value.size())
      text.replace(at, token.size(), value);
  }
}

/// Dynamic string tokens: ld.so(8). `$LIB` is Debian's, a folder name without a leading slash.
std::string expand(std::string text, const std::string& origin, const ElfFacts& facts) {
  if (text.find('$') == std::string::npos) return text;
  replace_token(text, "ORIGIN", origin);
  const std::string_view tuple = multiarch(facts);
  replace_token(text, "LIB", tuple.empty() ? "lib" : fmt::format("lib/{}", tuple));
  replace_token(text, "PLATFORM", platform(facts));
  return text;
}

void add_names(const LibraryFile& file, const std::string& asked, int index,
               LoadedProcess& process) {
  if (!asked.empty()) process.names.emplace(asked, index);
  if (!file.facts.soname.empty()) process.names.emplace(file.facts.soname, index);
}

int find_object(const LibraryFile* file, const LoadedProcess& process) {
  for (std::size_t i = 0; i < process.objects.size(); ++i) {
    if (process.objects[i].file == file) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

Loader::Loader(const ImageTree& tree)
    : tree_(tree), configured_(read_configured_folders(tree.loader_configurations())) {}

std::vector<std::string> Loader::default_folders(const ElfFacts& facts) const {
  std::vector<std::string> folders;
  const std::string tuple(multiarch(facts));
  // Debian's C library searches its multiarch folders and then lib; that of others, lib64 and lib.
  const bool is_debian =
      !tuple.empty() && (tree_.find("/lib/" + tuple, "libc.so.6") != nullptr ||
                         tree_.find("/usr/lib/" + tuple, "libc.so.6") != nullptr);
  if (is_debian) folders = {"/lib/" + tuple, "/usr/lib/" + tuple};
  if (!is_debian && facts.is_64bit) folders = {"/lib64", "/usr/lib64"};
  folders.insert(folders.end(), {"/lib", "/usr/lib"});
  return folders;
}

const LibraryFile* Loader::search_folders(const std::vector<std::string>& folders,
                                          const std::string& name, const LoadedObject& object,
                                          const LibraryFile& like, std::string& folder) const {
  for (const std::string& entry : folders) {
    std::string expanded = expand(entry, object.folder, object.file->facts);
    // A relative folder depends on where a program is started: an image cannot rely on it.
    if (!expanded.starts_with('/')) continue;
    const LibraryFile* const found = tree_.find(expanded, name);
    if (found == nullptr || !same_kind(found->facts, like.facts)) continue;
    folder = std::move(expanded);
    return found;
  }
  return nullptr;
}

const LibraryFile* Loader::search(const std::string& name, int loader, const LoadedProcess& process,
                                  std::string& folder) const {
  const LoadedObject& asking = process.objects[static_cast<std::size_t>(loader)];
  const LibraryFile& like = *asking.file;
  if (name.find('/') != std::string::npos) {
    const std::string path = expand(name, asking.folder, like.facts);
    return search_folders({parent_path(path)}, base_name(path), asking, like, folder);
  }
  if (like.facts.runpath.empty()) {
    for (int i = loader; i >= 0;) {
      const LoadedObject& object = process.objects[static_cast<std::size_t>(i)];
      // An object that has a RUNPATH has no RPATH: the loader drops it on reading.
      if (object.file->facts.runpath.empty()) {
        if (const auto* found =
                search_folders(object.file->facts.rpath, name, object, like, folder))
          return found;
      }
      i = object.loader;
    }
  }
  if (const auto* found = search_folders(like.facts.runpath, name, asking, like, folder))
    return found;
  if (const auto* found = search_folders(configured_, name, asking, like, folder)) return found;
  return search_folders(default_folders(like.facts), name, asking, like, folder);
}

void Loader::load(const LibraryFile& file, LoadedProcess& process) const {
  if (find_object(&file, process) >= 0) return;
  std::size_t next = process.objects.size();
  process.objects.push_back({&file, parent_path(file.path), -1});
  add_names(file, base_name(file.path), static_cast<int>(next), process);
  for (; next < process.objects.size(); ++next) {
    const LibraryFile& asking = *process.objects[next].file;
    for (const std::string& name : asking.facts.needed) {
      if (process.names.contains(name)) continue;
      std::string folder;
      const LibraryFile* const found = search(name, static_cast<int>(next), process, folder);
      if (found == nullptr) {
        process.unfound.push_back({&asking, name});
        continue;
      }
      int index = find_object(found, process);
      if (index < 0) {
        index = static_cast<int>(process.objects.size());
        process.objects.push_back({found, std::move(folder), static_cast<int>(next)});
      }
      add_names(*found, name, index, process);
    }
  }
}

std::vector<WrongVersion> find_wrong_versions(const LoadedProcess& process,
                                              std::set<Provision>& seen) {
  std::vector<WrongVersion> wrong;
  for (const LoadedObject& object : process.objects) {
    const LibraryFile& file = *object.file;
    const LibraryFile* provider = nullptr;
    std::string_view library;
    for (const NeededVersion& one : file.facts.needed_versions) {
      if (one.library != library) {
        library = one.library;
        const auto found = process.names.find(one.library);
        provider = found == process.names.end()
                       ? nullptr
                       : process.objects[static_cast<std::size_t>(found->second)].file;
        if (provider != nullptr && !seen.insert({&file, provider}).second) provider = nullptr;
      }
      if (provider == nullptr || one.weak) continue;
      const std::vector<std::string>& defined = provider->facts.defined_versions;
      if (defined.empty() ||
          std::find(defined.begin(), defined.end(), one.version) != defined.end())
        continue;
      wrong.push_back({&file, provider, one.library, one.version});
    }
  }
  return wrong;
}

}  // namespace slipway::gpu
