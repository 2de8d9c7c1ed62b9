#include "layer/debian_changes.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/file.h"
#include "layer/debian_normalise.h"

namespace slipway::layer {
namespace {

using Kind = FileLook::Kind;

constexpr std::string_view kCacheFolder = "__pycache__";
constexpr std::string_view kShadow = "etc/shadow";

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

/// What a run mounts over, or empties.
bool is_special(std::string_view path) {
  constexpr std::array<std::string_view, 6> kFolders{"dev", "proc", "sys", "run", "tmp", "var/tmp"};
  return std::any_of(kFolders.begin(), kFolders.end(), [&](std::string_view folder) {
    return path == folder || is_below(path, folder);
  });
}

/// Who this machine is, what dpkg keeps beside its database, backups.
bool is_leftover(std::string_view path) {
  constexpr std::array<std::string_view, 15> kFiles{"etc/.pwd.lock",
                                                    "etc/group-",
                                                    "etc/gshadow-",
                                                    "etc/hostname",
                                                    "etc/mailname",
                                                    "etc/passwd-",
                                                    "etc/resolv.conf",
                                                    "etc/shadow-",
                                                    "etc/subgid-",
                                                    "etc/subuid-",
                                                    "usr/sbin/policy-rc.d",
                                                    "var/lib/dbus/machine-id",
                                                    "var/lib/dpkg/triggers/Lock",
                                                    "var/lib/systemd/random-seed",
                                                    "sbin/policy-rc.d"};
  if (std::find(kFiles.begin(), kFiles.end(), path) != kFiles.end()) return true;
  if (path.starts_with("etc/ssh/ssh_host_") || is_below(path, "var/lib/apt/lists")) return true;
  if (is_below(path, "var/lib/dpkg/updates") || is_below(path, "var/lib/dpkg/tmp.ci")) return true;
  constexpr std::string_view kDpkg = "var/lib/dpkg/";
  if (!path.starts_with(kDpkg)) return false;
  const auto name = path.substr(kDpkg.size());
  return name.find('/') == std::string_view::npos &&
         (name.ends_with("-old") || name.starts_with("lock"));
}

/// utmp(5) and lastlog are expected to be there by those who write to them.
bool is_expected_log(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  return name == "wtmp" || name == "btmp" || name == "lastlog" || name == "faillog";
}

std::string without_slash(const PathChange& change) { return change.path.substr(1); }

bool is_file(const std::optional<FileLook>& look) { return look && look->kind == Kind::File; }

}  // namespace

ChangeFate fate_of(std::string_view path, const PathChange& change) {
  const bool is_folder = change.after && change.after->kind == Kind::Folder;
  if (is_special(path) || is_leftover(path)) return ChangeFate::Left;
  const bool is_new_file = !change.before && is_file(change.after);
  if (path == "etc/machine-id") return is_new_file ? ChangeFate::Emptied : ChangeFate::Left;
  if (is_below(path, "var/log")) {
    if (is_folder) return ChangeFate::Kept;
    return is_new_file && is_expected_log(path) ? ChangeFate::Emptied : ChangeFate::Left;
  }
  if (is_below(path, "var/cache") && !is_folder) return ChangeFate::Left;
  return ChangeFate::Kept;
}

std::string source_of_bytecode(std::string_view path, std::string_view tag) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  auto name = path.substr(slash + 1);
  const auto folder = path.substr(0, slash);
  const auto suffix = fmt::format(".{}.pyc", tag);
  if (!folder.ends_with(fmt::format("/{}", kCacheFolder)) || !name.ends_with(suffix)) return {};
  name.remove_suffix(suffix.size());
  if (name.empty() || name.find('.') != std::string_view::npos) return {};
  return fmt::format("{}{}.py", folder.substr(0, folder.size() - kCacheFolder.size()), name);
}

std::vector<std::string> sources_to_compile(const std::vector<PathChange>& changes,
                                            const std::string& python) {
  std::string tag = "cpython-" + python.substr(std::string_view("python").size());
  tag.erase(std::remove(tag.begin(), tag.end(), '.'), tag.end());
  std::set<std::string> removed;
  std::set<std::string> sources;
  for (const auto& change : changes) {
    const auto path = without_slash(change);
    if (!change.after) removed.insert(path);
    if (!is_file(change.after)) continue;
    if (!is_below(path, "usr/lib/python3") && !is_below(path, "usr/lib/" + python)) continue;
    const auto source = path.ends_with(".py") ? path : source_of_bytecode(path, tag);
    if (!source.empty()) sources.insert(source);
  }
  for (const auto& path : removed) sources.erase(path);
  return {sources.begin(), sources.end()};
}

std::string fix_new_shadow_dates(std::string_view shadow, std::string_view of_base) {
  const auto lines_of = [](std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
      lines.push_back(text.substr(0, text.find('\n')));
      text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
    }
    return lines;
  };
  const auto old = lines_of(of_base);
  std::string fixed;
  for (const auto line : lines_of(shadow)) {
    const bool is_new = std::find(old.begin(), old.end(), line) == old.end();
    fixed += is_new ? fix_shadow_dates(line) : fmt::format("{}\n", line);
  }
  return fixed;
}

namespace {

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
    return put({fmt::format("{}.wh.{}", folder, path.substr(folder.size())),
                EntryKind::File,
                0644,
                0,
                0,
                {},
                {}});
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
    const auto path = without_slash(change);
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
