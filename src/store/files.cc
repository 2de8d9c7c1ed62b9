#include "store/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/file.h"
#include "base/io.h"

namespace slipway::store {

Owner Owner::current() { return {::geteuid(), ::getegid()}; }

Result<void> give_to(int fd, const std::string& shown, Owner owner) {
  if (owner.uid == ::geteuid() && owner.gid == ::getegid()) return {};
  if (::fchown(fd, owner.uid, owner.gid) == 0) return {};
  return errno_error(fmt::format("cannot give `{}` to user {}", shown, owner.uid));
}

Result<void> make_owned_folders(const std::string& path, Owner owner) {
  if (is_folder(path)) return {};
  const std::string parent = parent_path(path);
  if (parent != path) TRY(make_owned_folders(parent, owner));
  if (::mkdir(path.c_str(), 0755) != 0) {
    if (errno == EEXIST && is_folder(path)) return {};
    return errno_error(fmt::format("cannot make folder `{}`", path));
  }
  const UniqueFd fd = TRY(open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return give_to(fd.get(), path, owner);
}

Result<void> sync_folder(const std::string& path) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return errno_error(fmt::format("cannot sync `{}`", path));
  return {};
}

Result<void> sync_file_system(const std::string& path) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  if (::syncfs(fd.get()) != 0) {
    return errno_error(fmt::format("cannot sync the disk that holds `{}`", path));
  }
  return {};
}

Result<NewFile> create_file(const std::string& folder, std::string_view prefix, Owner owner) {
  std::string path = join_path(folder, fmt::format("{}.XXXXXX", prefix));
  UniqueFd fd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd) return errno_error(fmt::format("cannot make a file in `{}`", folder));
  const Result<void> given = give_to(fd.get(), path, owner);
  if (!given.ok()) {
    ::unlink(path.c_str());
    return given.error();
  }
  return NewFile{std::move(fd), std::move(path)};
}

namespace {

Result<void> place_once(const std::string& temporary_folder, const std::string& path,
                        std::string_view text, Owner owner, Durable durable) {
  TRY(make_owned_folders(parent_path(path), owner));
  const NewFile file = TRY(create_file(temporary_folder, "text", owner));
  FdSink sink(file.fd.get());
  Result<void> result = sink.write(as_bytes(text));
  if (result.ok() && ::fchmod(file.fd.get(), 0644) != 0) result = errno_error("cannot set a mode");
  if (result.ok() && durable == Durable::Yes && ::fsync(file.fd.get()) != 0) {
    result = errno_error("cannot sync");
  }
  if (result.ok()) result = rename_path(file.path, path);
  if (!result.ok()) {
    ::unlink(file.path.c_str());
    return std::move(result).error().while_doing(fmt::format("writing `{}`", path));
  }
  if (durable == Durable::Yes) TRY(sync_folder(parent_path(path)));
  return {};
}

}  // namespace

Result<void> place_text(const std::string& temporary_folder, const std::string& path,
                        std::string_view text, Owner owner, Durable durable) {
  // Who holds no lease may see tmp/ swept between our steps.
  constexpr int kAttempts = 3;
  for (int attempt = 1;; ++attempt) {
    Result<void> result = place_once(temporary_folder, path, text, owner, durable);
    if (result.ok() || attempt == kAttempts || result.error().kind != ErrorKind::NotFound) {
      return result;
    }
    TRY(make_owned_folders(temporary_folder, owner));
  }
}

Result<Tally> Measure::of(const std::string& path) {
  Tally tally;
  TRY(add(AT_FDCWD, path.c_str(), path, tally));
  if (tally.disk_bytes > 0 || path_exists(path)) tally.count = 1;
  return tally;
}

Result<void> Measure::add(int folder_fd, const char* name, const std::string& shown, Tally& tally) {
  TRY(cancel_.check());
  struct stat status;
  if (::fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return errno_error(fmt::format("cannot look at `{}`", shown));
  }
  const bool is_last = status.st_nlink < 2 || S_ISDIR(status.st_mode) ||
                       ++seen_[{status.st_dev, status.st_ino}] == status.st_nlink;
  if (!is_last) return {};
  tally.disk_bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
  if (S_ISREG(status.st_mode)) tally.apparent_bytes += static_cast<std::uint64_t>(status.st_size);
  if (!S_ISDIR(status.st_mode)) return {};
  UniqueFd fd(::openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno_error(fmt::format("cannot open `{}`", shown));
  DIR* stream = ::fdopendir(fd.get());
  if (stream == nullptr) return errno_error(fmt::format("cannot list `{}`", shown));
  const int inner = fd.release();  // `stream` owns it now
  Result<void> result;
  while (const dirent* entry = result.ok() ? ::readdir(stream) : nullptr) {
    const std::string_view child = entry->d_name;
    if (child == "." || child == "..") continue;
    result = add(inner, entry->d_name, join_path(shown, child), tally);
  }
  ::closedir(stream);
  return result;
}

}  // namespace slipway::store
