#include "lazy/folder_entries.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <map>
#include <utility>

#include "base/file.h"
#include "layer/whiteout.h"

namespace slipway::lazy {
namespace {

using layer::TarItem;
using Kind = TarItem::Kind;

class Walk {
 public:
  explicit Walk(std::string top) : top_(std::move(top)) {}

  Result<std::vector<Entry>> run() {
    TRY(add_folder(""));
    return std::move(entries_);
  }

 private:
  Result<void> add_folder(const std::string& path) {
    const std::string on_host = path.empty() ? top_ : join_path(top_, path);
    if (is_opaque_at(on_host)) add_mark(path, std::string(layer::kOpaqueMark));
    for (const std::string& name : TRY(list_folder(on_host))) {
      TRY(add(path, name, path.empty() ? name : path + "/" + name));
    }
    return {};
  }

  /// As root's overlayfs notes it, or a user's (layer/tree_unpacker.h).
  static bool is_opaque_at(const std::string& folder) {
    for (const char* name : {"trusted.overlay.opaque", "user.overlay.opaque"}) {
      char mark = 0;
      if (::lgetxattr(folder.c_str(), name, &mark, 1) == 1 && mark == 'y') return true;
    }
    return false;
  }

  void add_mark(const std::string& folder, const std::string& name) {
    Entry entry;
    entry.item.kind = Kind::File;
    entry.item.path = folder.empty() ? name : folder + "/" + name;
    entries_.push_back(std::move(entry));
  }

  Result<void> add(const std::string& folder, const std::string& name, const std::string& path) {
    const std::string on_host = join_path(top_, path);
    struct stat status {};
    if (::lstat(on_host.c_str(), &status) != 0) {
      return errno_error(fmt::format("cannot look at `{}`", on_host));
    }
    if (S_ISCHR(status.st_mode)) return add_mark(folder, layer::whiteout_of(name)), Result<void>();
    Entry entry;
    TarItem& item = entry.item;
    item.path = path;
    item.mode = status.st_mode & 07777U;
    item.uid = status.st_uid;
    item.gid = status.st_gid;
    item.time_seconds = status.st_mtim.tv_sec;
    item.time_nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
    if (S_ISDIR(status.st_mode)) {
      item.kind = Kind::Folder;
    } else if (S_ISLNK(status.st_mode)) {
      item.kind = Kind::Link;
      item.target = TRY(read_link(on_host));
    } else if (S_ISFIFO(status.st_mode)) {
      item.kind = Kind::Fifo;
    } else {
      item.kind = Kind::File;
      item.size_bytes = static_cast<std::uint64_t>(status.st_size);
      if (item.size_bytes > 0) entry.contents = HostPath(on_host);
    }
    if (item.kind != Kind::Folder && status.st_nlink > 1) {
      const auto [first, is_new] = seen_.emplace(status.st_ino, path);
      if (!is_new) {
        item.kind = Kind::HardLink;
        item.target = first->second;
        entry.contents = {};
      }
    }
    if (item.kind == Kind::File || item.kind == Kind::Folder) item.attributes = attributes(on_host);
    const bool is_folder = item.kind == Kind::Folder;
    entries_.push_back(std::move(entry));
    return is_folder ? add_folder(path) : Result<void>();
  }

  static Result<std::string> read_link(const std::string& path) {
    std::string target(4096, '\0');
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) return errno_error(fmt::format("cannot read the link `{}`", path));
    target.resize(static_cast<std::size_t>(size));
    return target;
  }

  static std::map<std::string, std::string> attributes(const std::string& path) {
    std::map<std::string, std::string> found;
    std::string names(65536, '\0');
    const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
    names.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    for (std::string_view rest = names; !rest.empty();) {
      const std::string name(rest.data());
      rest.remove_prefix(name.size() + 1);
      std::string value(65536, '\0');
      const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
      if (length < 0) continue;
      value.resize(static_cast<std::size_t>(length));
      found.emplace(name, std::move(value));
    }
    return found;
  }

  std::string top_;
  std::vector<Entry> entries_;
  std::map<ino_t, std::string> seen_;
};

}  // namespace

Result<std::vector<Entry>> list_folder_entries(const std::string& folder) {
  return Walk(folder).run();
}

}  // namespace slipway::lazy
