#include "gpu/library_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/file.h"
#include "base/threads.h"
#include "base/unique_fd.h"
#include "gpu/python_packages.h"

namespace slipway::gpu {

bool is_loader_configuration(std::string_view path) {
  return path == "/etc/ld.so.conf" ||
         (path.starts_with("/etc/ld.so.conf.d/") && path.ends_with(".conf"));
}

namespace {

constexpr std::size_t kFilesAtOnce = 256;
constexpr std::size_t kLongestConfiguration = 1 << 20;
constexpr std::size_t kLongestPackageFile = 64 << 20;  ///< RECORD of torch: 1 MB

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

/// What a walk over the tree finds, before any file is opened. Paths start with `/`.
struct Walk {
  int root_fd = -1;
  dev_t device = 0;
  std::vector<std::string> files;
  LayerLibraries found;
};

Result<UniqueFd> open_in(const Walk& walk, const std::string& path, int flags) {
  const std::string relative = path.empty() ? "." : path.substr(1);
  return open_beneath(walk.root_fd, relative, flags | O_NOFOLLOW | O_CLOEXEC, 0);
}

unsigned char type_of(mode_t mode) {
  if (S_ISDIR(mode)) return DT_DIR;
  if (S_ISLNK(mode)) return DT_LNK;
  if (S_ISREG(mode)) return DT_REG;
  return S_ISCHR(mode) ? DT_CHR : DT_UNKNOWN;
}

/// overlayfs's mark on a folder that hides the one below it; where it is mounted in a user
/// namespace, the mark is the user's.
bool is_opaque(int folder_fd, const char* name) {
  const UniqueFd fd(openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  char value = 0;
  return fd && (fgetxattr(fd.get(), "trusted.overlay.opaque", &value, 1) == 1 ||
                fgetxattr(fd.get(), "user.overlay.opaque", &value, 1) == 1);
}

Result<void> note_link(int folder_fd, const char* name, const std::string& path, Walk& walk) {
  char target[PATH_MAX];
  const ssize_t length = readlinkat(folder_fd, name, target, sizeof target);
  if (length < 0) return errno_error(fmt::format("cannot read the link `{}`", path));
  walk.found.links.push_back({path, std::string(target, static_cast<std::size_t>(length))});
  return {};
}

Result<void> walk_folder(const std::string& path, Walk& walk, std::vector<std::string>& folders) {
  UniqueFd fd = TRY(open_in(walk, path, O_RDONLY | O_DIRECTORY));
  const Folder folder(fdopendir(fd.get()));
  if (!folder) return errno_error(fmt::format("cannot read the folder `{}`", path));
  const int folder_fd = fd.release();  // closedir closes it
  for (;;) {
    errno = 0;  // readdir(3): the only way to tell its end from its failure
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr && errno != 0)
      return errno_error(fmt::format("cannot read the folder `{}`", path));
    if (entry == nullptr) return {};
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string child = fmt::format("{}/{}", path, name);
    unsigned char type = entry->d_type;
    struct stat status {};
    if (type == DT_UNKNOWN || type == DT_CHR || type == DT_DIR) {
      if (fstatat(folder_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno_error(fmt::format("cannot stat `{}`", child));
      type = type_of(status.st_mode);
    }
    if (type == DT_REG) walk.files.push_back(child);
    if (type == DT_LNK) TRY(note_link(folder_fd, entry->d_name, child, walk));
    if (type == DT_DIR && status.st_dev == walk.device) {
      folders.push_back(child);
      if (is_opaque(folder_fd, entry->d_name)) walk.found.removed.push_back(child);
    }
    if (type == DT_CHR && status.st_rdev == makedev(0, 0)) walk.found.removed.push_back(child);
  }
}

Result<void> walk_tree(const CancelToken& cancel, Walk& walk) {
  std::vector<std::string> folders = {""};
  while (!folders.empty()) {
    TRY(cancel.check());
    const std::string folder = std::move(folders.back());
    folders.pop_back();
    TRY(walk_folder(folder, walk, folders));
  }
  return {};
}

/// What the files of a batch hold.
struct Part {
  LayerLibraries found;
  std::vector<PackageFile> package_files;
};

/// Nothing where the file is larger than `most_bytes`.
Result<std::optional<std::string>> read_small(const Walk& walk, const std::string& path,
                                              std::size_t most_bytes) {
  const UniqueFd fd = TRY(open_in(walk, path, O_RDONLY | O_NONBLOCK));
  StringSink text;
  FdSource source(fd.get());
  std::vector<std::byte> buffer(64 << 10);
  while (const std::size_t got = TRY(source.read(buffer))) {
    TRY(text.write(Bytes(buffer).subspan(0, got)));
    if (text.text.size() > most_bytes) return std::optional<std::string>();
  }
  return std::optional(std::move(text.text));
}

Result<void> read_configuration(const Walk& walk, const std::string& path, LayerLibraries& into) {
  auto text = TRY(read_small(walk, path, kLongestConfiguration));
  if (!text)
    return make_error(ErrorKind::Corrupt, "`{}` is larger than a loader configuration", path);
  into.loader_configurations.push_back({path, std::move(*text)});
  return {};
}

Result<void> look_at_file(const Walk& walk, const std::string& path, Part& part) {
  LayerLibraries& into = part.found;
  if (is_loader_configuration(path)) return read_configuration(walk, path, into);
  if (is_package_file(path)) {
    if (auto text = TRY(read_small(walk, path, kLongestPackageFile)))
      part.package_files.push_back({path, std::move(*text)});
    return {};
  }
  const UniqueFd fd = TRY(open_in(walk, path, O_RDONLY | O_NONBLOCK));
  auto file = read_elf_file(fd.get());
  if (file.ok() && file->has_value())
    into.elves.push_back({path,
                          std::move((*file)->facts),
                          std::move((*file)->code),
                          {},
                          std::move((*file)->symbols)});
  if (file.ok()) return {};
  if (file.error().kind != ErrorKind::Corrupt)
    return std::move(file).error().while_doing(fmt::format("reading `{}`", path));
  into.unreadable.push_back(fmt::format("{}: {}", path, file.error().message));
  return {};
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

Result<void> look_at_batch(const Walk& walk, std::size_t batch, Guarded<Part>& all) {
  Part part;
  const std::size_t end = std::min(walk.files.size(), (batch + 1) * kFilesAtOnce);
  for (std::size_t i = batch * kFilesAtOnce; i < end; ++i)
    TRY(look_at_file(walk, walk.files[i], part));
  all.with([&](Part& whole) {
    append(whole.found.elves, std::move(part.found.elves));
    append(whole.found.loader_configurations, std::move(part.found.loader_configurations));
    append(whole.found.unreadable, std::move(part.found.unreadable));
    append(whole.package_files, std::move(part.package_files));
  });
  return {};
}

void sort_facts(LayerLibraries& libraries) {
  const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
  std::sort(libraries.elves.begin(), libraries.elves.end(), by_path);
  std::sort(libraries.links.begin(), libraries.links.end(), by_path);
  std::sort(libraries.loader_configurations.begin(), libraries.loader_configurations.end(),
            by_path);
  std::sort(libraries.removed.begin(), libraries.removed.end());
  std::sort(libraries.unreadable.begin(), libraries.unreadable.end());
}

/// Of what a file leaves undefined, what its own package defines, and Python's own interface, which
/// comes with the interpreter.
void drop_own_symbols(LayerLibraries& libraries) {
  std::map<std::string_view, std::vector<std::uint32_t>> own;
  for (const LibraryFile& file : libraries.elves) {
    if (file.owner.empty()) continue;
    std::vector<std::uint32_t>& defined = own[file.owner];
    defined.insert(defined.end(), file.symbols.defined.begin(), file.symbols.defined.end());
  }
  for (auto& [owner, defined] : own) std::ranges::sort(defined);
  for (LibraryFile& file : libraries.elves) {
    const std::vector<std::uint32_t>& defined = own[file.owner];
    std::erase_if(file.symbols.undefined, [&](const std::string& name) {
      return file.owner.empty() || name.starts_with("Py") || name.starts_with("_Py") ||
             std::ranges::binary_search(defined, symbol_hash(name));
    });
    file.symbols.undefined.shrink_to_fit();
  }
}

}  // namespace

void finish_layer(const std::vector<PackageFile>& files, LayerLibraries& found) {
  sort_facts(found);
  add_packages(files, found);
  drop_own_symbols(found);
}

Result<LayerLibraries> scan_layer(const std::string& folder, const CancelToken& cancel) {
  const UniqueFd root = TRY(open_file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (fstat(root.get(), &status) != 0) return errno_error(fmt::format("cannot stat `{}`", folder));
  Walk walk;
  walk.root_fd = root.get();
  walk.device = status.st_dev;
  TRY_WHILE(fmt::format("looking for libraries in `{}`", folder), walk_tree(cancel, walk));
  // Sorted, neighbours share folders: their lookups stay warm.
  std::sort(walk.files.begin(), walk.files.end());

  Guarded<Part> all(Part{std::move(walk.found), {}});
  const std::size_t batches = (walk.files.size() + kFilesAtOnce - 1) / kFilesAtOnce;
  const auto look = [&](std::size_t batch) { return look_at_batch(walk, batch, all); };
  TRY(for_each_parallel(batches, usable_cores(), cancel, look));
  return all.with([](Part& whole) {
    finish_layer(whole.package_files, whole.found);
    return std::move(whole.found);
  });
}

}  // namespace slipway::gpu
