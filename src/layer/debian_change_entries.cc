// The part of debian_changes.h that makes entries.
#include <sys/stat.h>

#include <map>
#include <set>

#include "base/file.h"
#include "layer/debian_changes.h"
#include "layer/whiteout.h"

namespace slipway::layer {
namespace {

using Kind = FileLook::Kind;

constexpr std::string_view kCacheFolder = "__pycache__";
constexpr std::string_view kShadow = "etc/shadow";

bool is_file(const std::optional<FileLook>& look) { return look && look->kind == Kind::File; }

/// Makes entries of changes, one after another.
class Entries {
 public:
  Entries(const std::string& upper, const std::string& old_shadow)
      : upper_(upper), old_shadow_(old_shadow) {}

  Result<void> add(const PathChange& change, const std::string& path) {
    const FileLook& look = *change.after;
    Entry entry{path, EntryKind::File, look.mode, look.uid, look.gid, {}, {}};
    if (look.kind == Kind::Folder) {
      entry.kind = EntryKind::Folder;
    } else if (look.kind == Kind::Link) {
      entry.kind = EntryKind::Link;
      entry.link_target = look.target;
    } else if (look.kind == Kind::File) {
      TRY(fill_file(entry));
    } else {
      return make_error(ErrorKind::Unsupported, "`/{}` is neither file, folder nor link", path);
    }
    return put(std::move(entry));
  }

  Result<void> put(Entry entry) {
    TRY(add_parents(entry.path));
    if (known_.insert(entry.path).second) entries_.push_back(std::move(entry));
    return {};
  }

  Result<void> remove(const std::string& path) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    return put(
        {folder + whiteout_of(path.substr(folder.size())), EntryKind::File, 0644, 0, 0, {}, {}});
  }

  std::vector<Entry> take() && { return std::move(entries_); }

 private:
  Result<void> fill_file(Entry& entry) {
    const auto full = join_path(upper_, entry.path);
    struct stat status {};
    if (::lstat(full.c_str(), &status) != 0) return errno_error(full);
    entry.content = HostFile{full};
    if (entry.path == kShadow) {
      entry.content = fix_new_shadow_dates(TRY(read_file(full)), old_shadow_);
    }
    if (status.st_nlink < 2) return {};
    const auto [first, is_first] =
        by_inode_.emplace(std::pair(status.st_dev, status.st_ino), entry.path);
    if (is_first) return {};
    entry.kind = EntryKind::HardLink;
    entry.link_target = first->second;
    entry.content = std::string();
    return {};
  }

  /// As they are in the overlay: it has copied up whatever it has written below.
  Result<void> add_parents(const std::string& path) {
    for (auto folder = parent_path(path); folder != "."; folder = parent_path(folder)) {
      if (!known_.insert(folder).second) return {};
      struct stat status {};
      const auto full = join_path(upper_, folder);
      if (::lstat(full.c_str(), &status) != 0) {
        known_.erase(folder);
        if (base_name(folder) == kCacheFolder) continue;  // of bytecode that we made
        return errno_error(full);
      }
      entries_.push_back({folder,
                          EntryKind::Folder,
                          status.st_mode & 07777U,
                          status.st_uid,
                          status.st_gid,
                          {},
                          {}});
    }
    return {};
  }

  const std::string& upper_;
  const std::string& old_shadow_;
  std::vector<Entry> entries_;
  std::set<std::string> known_;
  std::map<std::pair<dev_t, ino_t>, std::string> by_inode_;
};

/// Whether one of the folders above is removed, or no folder any more.
bool is_gone_with(const std::set<std::string>& gone, const std::string& path) {
  for (auto folder = parent_path(path); folder != "."; folder = parent_path(folder)) {
    if (gone.contains(folder)) return true;
  }
  return false;
}

bool is_of_bytecode(const std::string& path) {
  return base_name(path) == kCacheFolder ||
         (path.ends_with(".pyc") && base_name(parent_path(path)) == kCacheFolder);
}

}  // namespace

Result<std::vector<Entry>> change_entries(const std::vector<PathChange>& changes,
                                          const std::string& upper,
                                          const std::map<std::string, std::string>& bytecode,
                                          const std::string& old_shadow) {
  Entries entries(upper, old_shadow);
  std::set<std::string> gone;
  for (const auto& change : changes) {  // a folder before what is in it
    const auto path = change.path.substr(1);
    const auto fate = fate_of(path, change);
    if (fate == ChangeFate::Left || bytecode.contains(path)) continue;
    const bool was_folder = change.before && change.before->kind == Kind::Folder;
    if (was_folder && (!change.after || change.after->kind != Kind::Folder)) gone.insert(path);
    if (fate == ChangeFate::Emptied) {
      TRY(entries.put({path,
                       EntryKind::File,
                       change.after->mode,
                       change.after->uid,
                       change.after->gid,
                       {},
                       std::string()}));
    } else if (change.after && is_of_bytecode(path)) {
      // Of another interpreter, or of a source that does not compile: it carries times. The base's
      // would be older than its source.
      if (change.before && is_file(change.after)) TRY(entries.remove(path));
    } else if (change.after) {
      TRY(entries.add(change, path));
    } else if (!is_gone_with(gone, path)) {
      TRY(entries.remove(path));
    }
  }
  for (const auto& [path, file] : bytecode) {
    TRY(entries.put({path, EntryKind::File, 0644, 0, 0, {}, HostFile{file}}));
  }
  return std::move(entries).take();
}

}  // namespace slipway::layer
