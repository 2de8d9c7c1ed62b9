#include "layer/deb_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <memory>

#include "base/file.h"
#include "base/io.h"
#include "base/open_within.h"

namespace slipway::layer {
namespace {

struct ArchiveDeleter {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, ArchiveDeleter>;
using UseEntry = std::function<Result<bool>(archive*, archive_entry*)>;  ///< false: enough

Error corrupt(const std::string& deb_path, archive* reader) {
  const char* reason = archive_error_string(reader);
  return make_error(ErrorKind::Corrupt, "`{}` is not a sound Debian package: {}",
                    base_name(deb_path), reason != nullptr ? reason : "no reason given");
}

la_ssize_t read_member(archive*, void* outer, const void** block) {
  std::size_t size = 0;
  la_int64_t offset = 0;
  const int code = archive_read_data_block(static_cast<archive*>(outer), block, &size, &offset);
  if (code == ARCHIVE_EOF) return 0;
  return code == ARCHIVE_OK ? static_cast<la_ssize_t>(size) : -1;
}

/// Reads the tar inside a member of the ar.
Result<void> read_tar(const std::string& deb_path, archive* outer, const UseEntry& use) {
  const Reader tar(archive_read_new());
  archive_read_support_format_tar(tar.get());
  archive_read_support_filter_all(tar.get());
  if (archive_read_open(tar.get(), outer, nullptr, read_member, nullptr) != ARCHIVE_OK) {
    return corrupt(deb_path, tar.get());
  }
  archive_entry* entry = nullptr;
  for (;;) {
    const int code = archive_read_next_header(tar.get(), &entry);
    if (code == ARCHIVE_EOF) return {};
    if (code != ARCHIVE_OK) return corrupt(deb_path, tar.get());
    if (!TRY(use(tar.get(), entry))) return {};
  }
}

/// Reads the tar of the member whose name starts with `prefix` ("data.tar", "control.tar").
Result<void> read_deb(const std::string& deb_path, std::string_view prefix, const UseEntry& use) {
  const Reader ar(archive_read_new());
  archive_read_support_format_ar(ar.get());
  if (archive_read_open_filename(ar.get(), deb_path.c_str(), 1U << 16U) != ARCHIVE_OK) {
    return corrupt(deb_path, ar.get());
  }
  archive_entry* entry = nullptr;
  while (archive_read_next_header(ar.get(), &entry) == ARCHIVE_OK) {
    if (std::string_view(archive_entry_pathname(entry)).starts_with(prefix)) {
      return read_tar(deb_path, ar.get(), use);
    }
  }
  return make_error(ErrorKind::Corrupt, "`{}` is not a Debian package: it has no `{}`",
                    base_name(deb_path), prefix);
}

/// `./usr/bin/` as `usr/bin`; empty for the root itself, nothing for what may not be.
std::optional<std::string> clean_path(const char* raw) {
  std::string path;
  for (std::string_view rest = raw == nullptr ? "" : raw; !rest.empty();) {
    const auto part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

/// The folder at `path`, links resolved as if `root` were `/`.
Result<UniqueFd> open_folder_in(int root, const std::string& path) {
  const auto* name = path.empty() ? "." : path.c_str();
  UniqueFd fd(open_within(root, name, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT));
  if (!fd) return errno_error(path);
  return fd;
}

class Unpacker {
 public:
  Unpacker(int root, const std::string& deb_path) : root_(root), deb_path_(deb_path) {}

  Result<bool> unpack(archive* tar, archive_entry* entry) {
    const auto path = clean_path(archive_entry_pathname(entry));
    if (!path) return refuse(archive_entry_pathname(entry));
    if (path->empty()) return true;
    const auto parent = TRY(open_folder_in(
        root_, path->find('/') == std::string::npos ? std::string() : parent_path(*path)));
    const auto name = base_name(*path);
    if (const char* target = archive_entry_hardlink(entry)) {
      TRY(link(parent.get(), name, target));
      return true;
    }
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR:
        TRY(make_folder(parent.get(), *path, entry));
        break;
      case AE_IFLNK:
        TRY(make_link(parent.get(), name, entry));
        break;
      case AE_IFREG:
        TRY(make_file(parent.get(), name, tar, entry));
        break;
      default:
        return refuse(path->c_str());
    }
    return true;
  }

 private:
  Error refuse(const char* path) const {
    return make_error(ErrorKind::Corrupt, "`{}` holds `{}`, which no package may",
                      base_name(deb_path_), path);
  }

  static Result<void> set_owner(int fd, const std::string& name, archive_entry* entry) {
    const auto uid = static_cast<uid_t>(archive_entry_uid(entry));
    const auto gid = static_cast<gid_t>(archive_entry_gid(entry));
    if (::fchownat(fd, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0) {
      return errno_error(name);
    }
    return {};
  }

  Result<void> link(int parent, const std::string& name, const char* raw_target) const {
    const auto target = clean_path(raw_target);
    if (!target || target->empty()) return refuse(raw_target);
    const auto folder = TRY(open_folder_in(
        root_, target->find('/') == std::string::npos ? std::string() : parent_path(*target)));
    ::unlinkat(parent, name.c_str(), 0);
    if (::linkat(folder.get(), base_name(*target).c_str(), parent, name.c_str(), 0) != 0) {
      return errno_error(*target);
    }
    return {};
  }

  Result<void> make_folder(int parent, const std::string& path, archive_entry* entry) const {
    const auto name = base_name(path);
    if (::mkdirat(parent, name.c_str(), 0700) != 0 && errno != EEXIST) return errno_error(path);
    // A link that stands where a package has a folder stays (the merged /usr).
    const auto folder = TRY(open_folder_in(root_, path));
    const auto self = fmt::format("/proc/self/fd/{}", folder.get());
    TRY(set_owner(folder.get(), "", entry));
    if (::chmod(self.c_str(), archive_entry_perm(entry)) != 0) return errno_error(path);
    return {};
  }

  static Result<void> make_link(int parent, const std::string& name, archive_entry* entry) {
    ::unlinkat(parent, name.c_str(), 0);
    if (::symlinkat(archive_entry_symlink(entry), parent, name.c_str()) != 0) {
      return errno_error(name);
    }
    return set_owner(parent, name, entry);
  }

  Result<void> make_file(int parent, const std::string& name, archive* tar,
                         archive_entry* entry) const {
    ::unlinkat(parent, name.c_str(), 0);
    const UniqueFd file(
        ::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return errno_error(name);
    FdSink sink(file.get());
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    int code = ARCHIVE_OK;
    while ((code = archive_read_data_block(tar, &block, &size, &offset)) == ARCHIVE_OK) {
      TRY(sink.write({static_cast<const std::byte*>(block), size}));
    }
    if (code != ARCHIVE_EOF) return corrupt(deb_path_, tar);
    TRY(set_owner(file.get(), "", entry));  // before the mode: it would take set-id bits away
    if (::fchmod(file.get(), archive_entry_perm(entry)) != 0) return errno_error(name);
    return {};
  }

  int root_;
  const std::string& deb_path_;
};

}  // namespace

Result<void> unpack_deb(const std::string& deb_path, const std::string& root) {
  const auto folder = TRY(open_file(root, O_PATH | O_DIRECTORY));
  Unpacker unpacker(folder.get(), deb_path);
  return read_deb(deb_path, "data.tar",
                  [&](archive* tar, archive_entry* entry) { return unpacker.unpack(tar, entry); });
}

Result<std::string> read_deb_control(const std::string& deb_path) {
  constexpr std::size_t kMostBytes = 1U << 20U;
  std::string text;
  bool found = false;
  const auto use = [&](archive* tar, archive_entry* entry) -> Result<bool> {
    if (clean_path(archive_entry_pathname(entry)) != "control") return true;
    found = true;
    text.resize(kMostBytes);
    const auto size = archive_read_data(tar, text.data(), text.size());
    if (size < 0) return corrupt(deb_path, tar);
    text.resize(static_cast<std::size_t>(size));
    return false;
  };
  TRY(read_deb(deb_path, "control.tar", use));
  if (!found) {
    return make_error(ErrorKind::Corrupt, "`{}` has no control file", base_name(deb_path));
  }
  return text;
}

}  // namespace slipway::layer
