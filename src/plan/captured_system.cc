#include "plan/captured_system.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "gpu/driver_library.h"
#include "gpu/image_tree.h"
#include "gpu/library_scan.h"
#include "gpu/loader.h"

namespace slipway::plan {
namespace {

/// What the C library loads by name, at need (names and numbers of hosts, the end of threads), and
/// those parts of it that a GPU driver's libraries ask for: they come with the run.
constexpr const char* kLoadedByName[] = {"libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2",
                                         "libgcc_s.so.1",     "libdl.so.2",      "libpthread.so.0",
                                         "librt.so.1",        "libm.so.6"};

constexpr std::uint64_t kMostLocaleBytes = 16 << 20;

class SystemCapture {
 public:
  SystemCapture(CapturedTree& tree, std::string_view library_path, const CancelToken& cancel)
      : tree_(tree), cancel_(cancel) {
    while (!library_path.empty()) {
      // ld.so(8) takes both.
      const std::size_t end = std::min(library_path.find_first_of(":;"), library_path.size());
      const std::string folder(library_path.substr(0, end));
      library_path.remove_prefix(std::min(end + 1, library_path.size()));
      const bool is_new = std::find(variable_.begin(), variable_.end(), folder) == variable_.end();
      if (folder.starts_with('/') && is_new) variable_.push_back(folder);
    }
  }

  Result<SystemNeeds> add() {
    for (const char* path : {"/bin/sh", "/usr/bin/env"}) TRY(tree_.add(path));
    TRY(read_loader_configuration());
    TRY(scan());
    while (TRY(add_round())) {
    }
    for (const char* name : kLoadedByName) TRY(add_beside_libc(name));
    while (TRY(add_round())) {
    }
    for (const std::string& folder : variable_) {
      if (used_.contains(folder)) needs_.library_folders.push_back(folder);
    }
    for (const auto& [name, path] : by_variable_) needs_.by_variable.push_back(path);
    return std::move(needs_);
  }

 private:
  /// LD_LIBRARY_PATH goes before all but RPATH, also where a default folder has the name too.
  Result<void> add_by_variable() {
    for (const gpu::LibraryFile& file : libraries_.elves) {
      for (const std::string& name : file.facts.needed) {
        if (variable_.empty() || by_variable_.contains(name) || is_driver(name)) continue;
        for (const std::string& folder : variable_) {
          const std::string path = join_path(folder, name);
          if (!path_exists(path) || !is_like(path, file.facts)) continue;
          if (!TRY(tree_.add(path))) continue;
          by_variable_.emplace(name, path);
          used_.insert(folder);
          break;
        }
      }
    }
    return {};
  }

  static bool is_driver(const std::string& name) {
    return gpu::find_driver_library(name) != nullptr;
  }

  Result<void> read_loader_configuration() {
    std::vector<std::string> paths{"/etc/ld.so.conf"};
    const auto names = list_folder("/etc/ld.so.conf.d");
    if (names.ok()) {
      for (const std::string& name : *names) paths.push_back("/etc/ld.so.conf.d/" + name);
    }
    for (const std::string& path : paths) {
      auto text = read_file(path);
      if (text.ok()) libraries_.loader_configurations.push_back({path, std::move(*text)});
    }
    return {};
  }

  /// Files of the tree that were not looked at before.
  Result<void> scan() {
    libraries_.links.clear();
    for (const auto& [path, file] : tree_.files()) {
      if (file.entry.kind == layer::EntryKind::Link) {
        libraries_.links.push_back({path, file.entry.link_target});
      }
      const auto* host = std::get_if<layer::HostFile>(&file.entry.content);
      if (host == nullptr || file.entry.kind != layer::EntryKind::File) continue;
      if (!seen_.insert(path).second) continue;
      TRY(cancel_.check());
      const UniqueFd fd = TRY(open_file(host->path, O_RDONLY | O_NOFOLLOW));
      // What begins as ELF and is broken could not be loaded here either.
      const auto elf = gpu::read_elf_file(fd.get());
      if (elf.ok() && elf->has_value()) libraries_.elves.push_back({path, (*elf)->facts});
    }
    return {};
  }

  static std::string expand(std::string folder, const std::string& origin) {
    for (const char* token : {"${ORIGIN}", "$ORIGIN"}) {
      const std::size_t at = folder.find(token);
      if (at != std::string::npos) folder.replace(at, std::string_view(token).size(), origin);
    }
    return folder;
  }

  bool is_like(const std::string& path, const gpu::ElfFacts& facts) const {
    const auto fd = open_file(path, O_RDONLY);
    if (!fd.ok()) return false;
    const auto elf = gpu::read_elf_file(fd->get());
    return elf.ok() && elf->has_value() && (*elf)->facts.machine == facts.machine &&
           (*elf)->facts.is_64bit == facts.is_64bit;
  }

  static std::vector<std::string> default_folders(const gpu::ElfFacts& facts) {
    const std::string tuple = facts.machine == gpu::kMachineAarch64  ? "aarch64-linux-gnu"
                              : facts.machine == gpu::kMachineX86_64 ? "x86_64-linux-gnu"
                                                                     : "i386-linux-gnu";
    return {"/lib/" + tuple, "/usr/lib/" + tuple, "/lib64", "/usr/lib64", "/lib", "/usr/lib"};
  }

  /// The image has no loader cache: what only ld.so.conf finds gets a name in a default folder.
  void link_where_searched(const std::vector<std::string>& defaults, const std::string& folder,
                           const std::string& name) {
    if (std::find(defaults.begin(), defaults.end(), folder) != defaults.end()) return;
    for (const std::string& known : defaults) {
      const auto found = tree_.files().find(known);
      const std::string path = join_path(known, name);
      if (found == tree_.files().end() || tree_.has(path)) continue;
      if (found->second.entry.kind != layer::EntryKind::Folder) continue;
      return tree_.add_link(path, join_path(folder, name));
    }
  }

  /// Whether it was found on the host and added.
  Result<bool> add_library(const gpu::LibraryFile& asking, const std::string& name,
                           const std::vector<std::string>& configured) {
    const auto try_folder = [&](const std::string& folder) -> Result<bool> {
      const std::string path = join_path(folder, name);
      if (!folder.starts_with('/') || !path_exists(path) || !is_like(path, asking.facts)) {
        return false;
      }
      return TRY(tree_.add(path)).has_value();
    };
    if (name.find('/') != std::string::npos) return try_folder(parent_path(name));
    for (const auto* list : {&asking.facts.rpath, &asking.facts.runpath}) {
      for (const std::string& folder : *list) {
        if (TRY(try_folder(expand(folder, parent_path(asking.path))))) return true;
      }
    }
    const std::vector<std::string> defaults = default_folders(asking.facts);
    for (const std::string& folder : configured) {
      if (!TRY(try_folder(folder))) continue;
      link_where_searched(defaults, folder, name);
      return true;
    }
    for (const std::string& folder : defaults) {
      if (TRY(try_folder(folder))) return true;
    }
    return false;
  }

  Result<bool> add_round() {
    const std::size_t before = tree_.files().size();
    TRY(scan());
    TRY(add_by_variable());
    const gpu::ImageTree image({&libraries_, 1});
    const gpu::Loader loader(image);
    std::set<gpu::Unfound> unfound;
    std::set<std::string> interpreters;
    for (const auto& [path, file] : image.files()) {
      TRY(cancel_.check());
      gpu::LoadedProcess process;
      loader.load(*file, process);
      unfound.insert(process.unfound.begin(), process.unfound.end());
      if (!file->facts.interpreter.empty()) interpreters.insert(file->facts.interpreter);
    }
    for (const std::string& path : interpreters) TRY(tree_.add(path));
    needs_ = {};
    std::set<std::string> driver, nowhere;
    for (const auto& [file, library] : unfound) {
      if (is_driver(library)) {
        driver.insert(library);
      } else if (by_variable_.contains(library)) {
        continue;
      } else if (!TRY(add_library(*file, library, loader.configured_folders()))) {
        nowhere.insert(fmt::format("{} needs {}", file->path, library));
      }
    }
    needs_.driver.assign(driver.begin(), driver.end());
    needs_.unfound.assign(nowhere.begin(), nowhere.end());
    return tree_.files().size() != before;
  }

  Result<void> add_beside_libc(const std::string& name) {
    std::set<std::string> folders;
    for (const gpu::LibraryFile& file : libraries_.elves) {
      if (file.facts.soname == "libc.so.6") folders.insert(parent_path(file.path));
    }
    for (const std::string& folder : folders) TRY(tree_.add(join_path(folder, name)));
    return {};
  }

  CapturedTree& tree_;
  const CancelToken& cancel_;
  gpu::LayerLibraries libraries_;
  std::set<std::string> seen_;
  std::vector<std::string> variable_;               ///< folders of LD_LIBRARY_PATH
  std::map<std::string, std::string> by_variable_;  ///< what it found: name, path
  std::set<std::string> used_;                      ///< where
  SystemNeeds needs_;
};

/// Files that the C library, OpenSSL and Python's own library read; none of them tells of a person.
Result<void> add_settings(CapturedTree& tree, const CancelToken& cancel) {
  tree.add_text("/etc/passwd",
                "root:x:0:0:root:/root:/bin/sh\n"
                "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
  tree.add_text("/etc/group", "root:x:0:\nnogroup:x:65534:\n");
  tree.add_text("/etc/nsswitch.conf",
                "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
                "services: files\nprotocols: files\n");
  for (const char* path :
       {"/etc/os-release", "/etc/protocols", "/etc/services", "/etc/localtime", "/etc/timezone",
        "/etc/mime.types", "/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf", "/usr/lib/ssl/certs",
        "/etc/pki/tls/cert.pem"}) {
    TRY(tree.add(path));
  }
  for (const char* folder :
       {"/etc/ssl/certs", "/etc/pki/tls/certs", "/usr/share/zoneinfo", "/usr/lib/locale/C.utf8"}) {
    if (is_folder(folder)) {
      TRY(tree.add_tree(
          folder, [](const std::string&) { return false; }, cancel));
    }
  }
  const char* const locales = "/usr/lib/locale/locale-archive";
  const auto size = file_size(locales);
  if (size.ok() && *size <= kMostLocaleBytes) TRY(tree.add(locales));
  for (const char* folder : {"/proc", "/sys", "/dev", "/run", "/etc", "/workspace"}) {
    tree.add_folder(folder, 0755);
  }
  tree.add_folder("/root", 0700);
  for (const char* folder : {"/tmp", "/var/tmp"}) tree.add_folder(folder, 01777);
  return {};
}

}  // namespace

Result<SystemNeeds> add_system(CapturedTree& tree, const std::string& library_path,
                               const CancelToken& cancel) {
  TRY(add_settings(tree, cancel));
  return SystemCapture(tree, library_path, cancel).add();
}

}  // namespace slipway::plan
