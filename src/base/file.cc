#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/open_within.h"

namespace slipway {
namespace {

Error path_error(std::string_view verb, std::string_view path) {
  const int saved = errno;
  return errno_error(fmt::format("cannot {} `{}`", verb, path), saved);
}

std::string unique_suffix() {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}.{}", ::getpid(), counter.fetch_add(1));
}

/// Whether `path` is still the name of the open file: a holder may have removed it.
bool names_file(const std::string& path, int fd) {
  struct stat named, open;
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &open) == 0 &&
         named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

/// Removes what `name` is in the open folder `at`, depth first, without following links.
Result<void> remove_at(int at, const char* name, const std::string& shown, dev_t device,
                       const CancelToken& cancel) {
  TRY(cancel.check());
  if (::unlinkat(at, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM && errno != EACCES) return path_error("remove", shown);
  UniqueFd folder(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return path_error("remove", shown);
  struct stat status;
  if (::fstat(folder.get(), &status) != 0) return path_error("look at", shown);
  if (status.st_dev != device) {
    return make_error(ErrorKind::Io, "cannot remove `{}`: something is mounted there", shown);
  }
  // A folder without the write bit (read-only trees of wheels) would keep its entries.
  if ((status.st_mode & 0700) != 0700) ::fchmod(folder.get(), 0700);
  DIR* stream = ::fdopendir(::dup(folder.get()));
  if (stream == nullptr) return path_error("list", shown);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view child = entry->d_name;
    if (child != "." && child != "..") names.emplace_back(child);
  }
  ::closedir(stream);
  for (const std::string& child : names) {
    TRY(remove_at(folder.get(), child.c_str(), join_path(shown, child), device, cancel));
  }
  if (::unlinkat(at, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
    return path_error("remove", shown);
  return {};
}

}  // namespace

std::string join_path(std::string_view folder, std::string_view name) {
  if (folder.empty() || name.starts_with('/')) return std::string(name);
  if (name.empty()) return std::string(folder);
  return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", name);
}

std::string parent_path(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

Result<std::string> absolute_path(std::string_view path) {
  std::string whole(path);
  if (!path.starts_with('/')) {
    char buffer[4096];
    if (::getcwd(buffer, sizeof buffer) == nullptr) return errno_error("cannot find this folder");
    whole = join_path(buffer, path);
  }
  std::vector<std::string_view> parts;
  std::string_view rest = whole;
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  return "/" + fmt::format("{}", fmt::join(parts, "/"));
}

bool is_within(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real != nullptr ? real.get() : "";
}

bool path_exists(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

bool is_folder(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<std::uint64_t> file_size(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return path_error("look at", path);
  return static_cast<std::uint64_t>(status.st_size);
}

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) return path_error("open", path);
  return fd;
}

Result<void> write_at(int fd, Bytes bytes, std::uint64_t offset, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return path_error("write", path);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<UniqueFd> open_beneath(int folder_fd, const std::string& path, int flags, mode_t mode) {
  // O_TMPFILE holds O_DIRECTORY's bit, and openat2 refuses a mode where nothing is made.
  const bool makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  UniqueFd fd(open_within(folder_fd, path.c_str(), flags, RESOLVE_BENEATH, makes ? mode : 0));
  if (!fd) return path_error("open", path);
  return fd;
}

Result<std::string> read_file(const std::string& path) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY));
  FdSource source(fd.get());
  StringSink sink;
  TRY_WHILE(fmt::format("reading `{}`", path), copy(source, sink));
  return std::move(sink.text);
}

Result<void> write_file(const std::string& path, std::string_view text, mode_t mode) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, unique_suffix());
  const UniqueFd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
  FdSink sink(fd.get());
  Result<void> written = sink.write(as_bytes(text));
  if (written.ok() && ::fsync(fd.get()) != 0) written = path_error("write", path);
  if (written.ok()) written = rename_path(temporary, path);
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return std::move(written).error().while_doing(fmt::format("writing `{}`", path));
  }
  return {};
}

Result<void> make_folders(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == EEXIST) {
    if (is_folder(path)) return {};
    return make_error(ErrorKind::Io, "`{}` is in the way: it is not a folder", path);
  }
  if (errno != ENOENT) return path_error("make folder", path);
  const std::string parent = parent_path(path);
  if (parent == path) return path_error("make folder", path);
  TRY(make_folders(parent, mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return path_error("make folder", path);
  return {};
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  DIR* stream = ::opendir(path.c_str());
  if (stream == nullptr) return path_error("list", path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return path_error("remove", path);
  return {};
}

Result<void> remove_tree(const std::string& path, const CancelToken& cancel) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return path_error("look at", path);
  }
  return remove_at(AT_FDCWD, path.c_str(), path, status.st_dev, cancel);
}

Result<void> rename_path(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return path_error("rename", fmt::format("{}` to `{}", from, to));
  }
  return {};
}

Result<TemporaryFolder> TemporaryFolder::create(const std::string& parent,
                                                std::string_view prefix) {
  TRY(make_folders(parent));
  std::string path = join_path(parent, fmt::format("{}.{}.XXXXXX", prefix, ::getpid()));
  if (::mkdtemp(path.data()) == nullptr) return path_error("make folder", path);
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::~TemporaryFolder() {
  if (!path_.empty()) (void)remove_tree(path_);
}

Result<FileLock> FileLock::lock(const std::string& path) {
  while (true) {
    UniqueFd fd = TRY(open_file(path, O_RDWR | O_CREAT));
    while (::flock(fd.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return path_error("lock", path);
    }
    if (names_file(path, fd.get())) return FileLock(std::move(fd));
  }
}

Result<std::optional<FileLock>> FileLock::try_lock(const std::string& path) {
  while (true) {
    UniqueFd fd = TRY(open_file(path, O_RDWR | O_CREAT));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::optional<FileLock>();
      return path_error("lock", path);
    }
    if (names_file(path, fd.get())) return std::optional<FileLock>(FileLock(std::move(fd)));
  }
}

Result<MappedFile> MappedFile::open(const std::string& path) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY));
  return TRY_WHILE(fmt::format("mapping `{}`", path), of(fd.get()));
}

Result<MappedFile> MappedFile::of(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return errno_error("cannot look at a file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return errno_error("cannot map a file");
  return MappedFile(static_cast<const std::byte*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace slipway
