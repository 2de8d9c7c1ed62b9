#include "layer/tree_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/file.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
/// The library takes names to be of this thread's locale, and pax wants UTF-8.
class Utf8Locale {
 public:
  Utf8Locale() : own_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(::uselocale(own_)) {}
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    ::uselocale(before_);
    if (own_ != nullptr) ::freelocale(own_);
  }

 private:
  locale_t own_, before_;
};

using EntryPointer = std::unique_ptr<archive_entry, FreeEntry>;

class TreeArchive {
 public:
  TreeArchive(std::string folder, Sink& out, const CancelToken& cancel)
      : folder_(std::move(folder)), out_(out), cancel_(cancel) {}

  Result<void> write();

 private:
  static la_ssize_t write_block(archive*, void* self, const void* bytes, std::size_t count);
  Result<void> add_folder(const std::string& path);
  Result<void> add(const std::string& path);
  Result<void> add_contents(const std::string& path, int fd, std::uint64_t size_bytes);
  Error failed(const std::string& path);

  std::string folder_;
  Sink& out_;
  const CancelToken& cancel_;
  std::unique_ptr<archive, FreeReader> disk_{archive_read_disk_new()};
  std::unique_ptr<archive, FreeWriter> tar_{archive_write_new()};
  std::optional<Error> fault_;  ///< of `out_`
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kBufferBytes);
};

la_ssize_t TreeArchive::write_block(archive* tar, void* self, const void* bytes,
                                    std::size_t count) {
  auto& tree = *static_cast<TreeArchive*>(self);
  Result<void> written = tree.out_.write({static_cast<const std::byte*>(bytes), count});
  if (written.ok()) return static_cast<la_ssize_t>(count);
  tree.fault_ = std::move(written).error();
  archive_set_error(tar, EIO, "cannot write");
  return -1;
}

/// The first failure of `out_`, where there is one, says more than what the library made of it.
Error TreeArchive::failed(const std::string& path) {
  if (fault_) return *fault_;
  const char* why = archive_error_string(tar_.get());
  if (why == nullptr) why = archive_error_string(disk_.get());
  return make_error(ErrorKind::Io, "cannot put `/{}` into the tar: {}", path,
                    why != nullptr ? why : "no reason given");
}

Result<void> TreeArchive::write() {
  archive_read_disk_set_behavior(disk_.get(), ARCHIVE_READDISK_NO_FFLAGS);
  archive_read_disk_set_symlink_physical(disk_.get());
  archive_write_set_format_pax_restricted(tar_.get());
  archive_write_set_bytes_in_last_block(tar_.get(), 1);
  if (archive_write_open(tar_.get(), this, nullptr, write_block, nullptr) != ARCHIVE_OK) {
    return failed("");
  }
  TRY(add_folder(""));
  if (archive_write_close(tar_.get()) != ARCHIVE_OK) return failed("");
  return {};
}

Result<void> TreeArchive::add_folder(const std::string& path) {
  std::vector<std::string> names = TRY(list_folder(join_path(folder_, path)));
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) TRY(add(path.empty() ? name : join_path(path, name)));
  return {};
}

Result<void> TreeArchive::add(const std::string& path) {
  TRY(cancel_.check());
  const std::string source = join_path(folder_, path);
  struct stat status {};
  if (::lstat(source.c_str(), &status) != 0) return errno_error("cannot look at `" + source + "`");
  UniqueFd fd;
  if (S_ISREG(status.st_mode)) fd = TRY(open_file(source, O_RDONLY | O_NOFOLLOW));

  const EntryPointer entry(archive_entry_new());
  archive_entry_copy_pathname(entry.get(), path.c_str());
  archive_entry_copy_sourcepath(entry.get(), source.c_str());
  const int code =
      archive_read_disk_entry_from_file(disk_.get(), entry.get(), fd ? fd.get() : -1, &status);
  if (code < ARCHIVE_WARN) return failed(path);
  if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
    const auto [first, is_new] =
        first_names_.emplace(std::pair(status.st_dev, status.st_ino), path);
    if (!is_new) {
      archive_entry_copy_hardlink(entry.get(), first->second.c_str());
      archive_entry_unset_size(entry.get());
    }
  }
  const bool has_contents = fd && archive_entry_hardlink(entry.get()) == nullptr;
  // A name that is not UTF-8 is written as it is, with a warning.
  if (archive_write_header(tar_.get(), entry.get()) < ARCHIVE_WARN) return failed(path);
  if (has_contents) {
    return add_contents(path, fd.get(), static_cast<std::uint64_t>(status.st_size));
  }
  return S_ISDIR(status.st_mode) ? add_folder(path) : Result<void>();
}

Result<void> TreeArchive::add_contents(const std::string& path, int fd, std::uint64_t size_bytes) {
  FdSource source(fd);
  for (std::uint64_t left = size_bytes; left > 0;) {
    TRY(cancel_.check());
    const std::size_t got = TRY(source.read(buffer_));
    if (got == 0) return make_error(ErrorKind::Io, "`/{}` became shorter meanwhile", path);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, got));
    if (archive_write_data(tar_.get(), buffer_.data(), count) != static_cast<la_ssize_t>(count)) {
      return failed(path);
    }
    left -= count;
  }
  return {};
}

}  // namespace

Result<void> write_tree_archive(const std::string& folder, Sink& out, const CancelToken& cancel) {
  const Utf8Locale locale;
  return TreeArchive(folder, out, cancel).write();
}

}  // namespace slipway::layer
