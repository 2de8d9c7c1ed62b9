/// Files and folders by path, for paths that the user or Slipway itself chose. Paths that come from
/// an archive or an image are untrusted: open those beneath a directory with `open_beneath`.
///
/// All calls block on the disk. Failures are NotFound, Denied or Io and name the path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "base/unique_fd.h"

namespace slipway {

std::string join_path(std::string_view folder, std::string_view name);
/// Everything before the last `/`; "." where there is none.
std::string parent_path(std::string_view path);
std::string base_name(std::string_view path);
/// Absolute, with `.` and `..` folded by name; links are not followed.
Result<std::string> absolute_path(std::string_view path);

/// Whether `path` is `folder` or below it, by name; both absolute and folded.
bool is_within(std::string_view path, std::string_view folder);
/// realpath(3): absolute and without links; empty where there is nothing.
std::string real_path(const std::string& path);

bool path_exists(const std::string& path);
bool is_folder(const std::string& path);
Result<std::uint64_t> file_size(const std::string& path);

Result<std::string> read_file(const std::string& path);
/// Writes `<path>.<pid>.tmp`, syncs, and renames it over `path`: readers see the old or the new.
Result<void> write_file(const std::string& path, std::string_view text, mode_t mode = 0644);
Result<void> make_folders(const std::string& path, mode_t mode = 0755);
/// Names in the folder, sorted, without `.` and `..`.
Result<std::vector<std::string>> list_folder(const std::string& path);
Result<void> remove_file(const std::string& path);  ///< fine when it is not there
/// Fine when it is not there. Crosses no mount. Cancelled half-way, it leaves the rest.
Result<void> remove_tree(const std::string& path, const CancelToken& cancel = {});
Result<void> rename_path(const std::string& from, const std::string& to);

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0644);
/// All of `bytes` from that offset on; `path` is for messages.
Result<void> write_at(int fd, Bytes bytes, std::uint64_t offset, std::string_view path);
/// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS: `path` cannot leave `folder_fd`.
Result<UniqueFd> open_beneath(int folder_fd, const std::string& path, int flags,
                              mode_t mode = 0644);

/// A folder of its own under `parent`, removed with all that is in it at the end of its life.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> create(const std::string& parent, std::string_view prefix = "tmp");
  TemporaryFolder(TemporaryFolder&&) noexcept = default;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }
  /// The folder stays: the caller renamed it away, or wants it.
  void keep() { path_.clear(); }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// An exclusive flock(2) on a file, made if need be; released at the end of its life or by the
/// kernel when the process dies. `lock` waits; `try_lock` returns nothing when another holds it.
/// Who holds it may remove the file.
class FileLock {
 public:
  static Result<FileLock> lock(const std::string& path);
  static Result<std::optional<FileLock>> try_lock(const std::string& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// A private, read-only memory map of a whole file.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::string& path);
  /// Of a file that is open for reading; the descriptor is needed no longer.
  static Result<MappedFile> of(int fd);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  Bytes bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace slipway
