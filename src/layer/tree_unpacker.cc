#include "layer/tree_unpacker.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/open_within.h"
#include "layer/item_attributes.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kMostTimes = 1 << 20;  ///< folders whose times are kept: memory stays bounded

Error corrupt(std::string_view path, std::string_view why) {
  return make_error(ErrorKind::Corrupt, "has an entry `{}` that {}", path, why);
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string name_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

/// What a run mounts over: nothing in there is for the layer to say.
bool is_mounted_over(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/'));
  return first == "dev" || first == "proc" || first == "sys";
}

}  // namespace

bool is_left_out(const TarItem& item) {
  return item.kind == TarItem::Kind::Device ||
         (is_mounted_over(item.path) && item.kind != TarItem::Kind::Folder);
}

Result<TreeUnpacker> TreeUnpacker::open(const std::string& folder, OverlayMarks marks,
                                        Owners owners) {
  TreeUnpacker unpacker(owners);
  unpacker.root_ = TRY(open_file(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  unpacker.marks_ = marks;
  return unpacker;
}

/// As open(2) inside a container whose root the tree is.
Result<UniqueFd> TreeUnpacker::open_folder(std::string_view path) {
  const std::string name = path.empty() ? "." : std::string(path);
  UniqueFd fd(open_within(root_.get(), name.c_str(), O_RDONLY | O_DIRECTORY,
                          RESOLVE_IN_ROOT | RESOLVE_NO_XDEV));
  if (!fd) return failed("open", path);
  return fd;
}

/// The slow way: from the top, making what is missing, as tar programs do.
Result<UniqueFd> TreeUnpacker::make_parents(std::string_view path) {
  UniqueFd folder = TRY(open_folder(""));
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string_view here = path.substr(0, end);
    const Place place{folder.get(), name_of(here)};
    const Found found = TRY(look(place, here));
    if (found == Found::Nothing || found == Found::Whiteout) {
      TRY(clear(place, here, found));
      if (::mkdirat(place.folder, place.name.c_str(), 0755) != 0 ||
          ::fchmodat(place.folder, place.name.c_str(), 0755, 0) != 0) {
        return failed("make the folder", here);
      }
      note_time(here, {0, 0});
      if (found == Found::Whiteout) TRY(mark_opaque(place, here));
    }
    Result<UniqueFd> next = open_folder(here);
    if (!next.ok()) return corrupt(path, "lies in something that is no folder of the layer");
    folder = std::move(next).value();
  }
  return folder;
}

Result<int> TreeUnpacker::enter(std::string_view folder) {
  if (current_ && folder == current_path_) return current_.get();
  Result<UniqueFd> fd = open_folder(folder);
  if (!fd.ok()) fd = make_parents(folder);
  current_ = TRY(std::move(fd));
  current_path_ = folder;
  return current_.get();
}

Result<TreeUnpacker::Place> TreeUnpacker::place_of(std::string_view path) {
  return Place{TRY(enter(parent_of(path))), name_of(path)};
}

/// Set at the end, for what comes into a folder changes its time.
void TreeUnpacker::note_time(std::string_view path, timespec time) {
  if (folders_.size() < kMostTimes) folders_.push_back({std::string(path), time});
}

Result<TreeUnpacker::Found> TreeUnpacker::look(const Place& place, std::string_view path) {
  struct stat status {};
  if (::fstatat(place.folder, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return Found::Nothing;
    return failed("look at", path);
  }
  if (S_ISDIR(status.st_mode)) return Found::Folder;
  return S_ISCHR(status.st_mode) ? Found::Whiteout : Found::Other;
}

Result<void> TreeUnpacker::clear(const Place& place, std::string_view path, Found found) {
  if (found == Found::Nothing) return {};
  if (found != Found::Folder) {
    if (::unlinkat(place.folder, place.name.c_str(), 0) != 0) return failed("replace", path);
    return {};
  }
  // By way of the descriptor: a path from outside could lead through a link of the tree.
  TRY(remove_tree(fmt::format("/proc/self/fd/{}/{}", place.folder, place.name)));
  return {};
}

Result<void> TreeUnpacker::mark_opaque(const Place& place, std::string_view path) {
  const UniqueFd fd(::openat(place.folder, place.name.empty() ? "." : place.name.c_str(),
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const char* const name =
      marks_ == OverlayMarks::User ? "user.overlay.opaque" : "trusted.overlay.opaque";
  if (!fd || ::fsetxattr(fd.get(), name, "y", 1, 0) != 0) return failed("mark", path);
  return {};
}

Result<void> TreeUnpacker::add_whiteout(const TarItem& item, const Whiteout& whiteout) {
  if (whiteout.kind == Whiteout::Kind::Opaque) {
    const std::string_view folder = parent_of(item.path);
    const Place place{TRY(enter(folder)), ""};
    return mark_opaque(place, folder);
  }
  if (whiteout.kind == Whiteout::Kind::Ignored) return {};
  const std::string& hidden = whiteout.hidden;
  if (hidden.empty() || hidden == "." || hidden == "..") {
    return corrupt(item.path, "marks nothing as removed");
  }
  const Place place{TRY(enter(parent_of(item.path))), hidden};
  const Found found = TRY(look(place, item.path));
  // What this layer brings stays: the mark speaks of the layers below.
  if (found == Found::Folder) return mark_opaque(place, item.path);
  if (found != Found::Nothing) return {};
  if (::mknodat(place.folder, hidden.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
    return failed("mark as removed", item.path);
  }
  return {};
}

Result<void> TreeUnpacker::add_folder(const TarItem& item, const Place& place) {
  const Found found = TRY(look(place, item.path));
  if (found != Found::Folder) {
    TRY(clear(place, item.path, found));
    if (::mkdirat(place.folder, place.name.c_str(), 0700) != 0) {
      return failed("make the folder", item.path);
    }
    if (found == Found::Whiteout) TRY(mark_opaque(place, item.path));
  }
  const UniqueFd fd(
      ::openat(place.folder, place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failed("open", item.path);
  TRY(give_away(fd.get(), item, owners_));
  left_out_.attributes += set_attributes(fd.get(), item);
  if (::fchmod(fd.get(), item.mode) != 0) return failed("set the mode of", item.path);
  note_time(item.path, time_of(item));
  return {};
}

Result<void> TreeUnpacker::add_link(const TarItem& item, const Place& place) {
  const bool is_fifo = item.kind == TarItem::Kind::Fifo;
  if (!is_fifo && item.target.empty()) return corrupt(item.path, "is a link to nothing");
  const int made = is_fifo ? ::mkfifoat(place.folder, place.name.c_str(), 0600)
                           : ::symlinkat(item.target.c_str(), place.folder, place.name.c_str());
  if (made != 0) return failed("make", item.path);
  const UniqueFd fd(::openat(place.folder, place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return failed("open", item.path);
  TRY(give_away(fd.get(), item, owners_));
  const timespec times[2] = {time_of(item), time_of(item)};
  if ((is_fifo && ::fchmodat(place.folder, place.name.c_str(), item.mode, 0) != 0) ||
      ::utimensat(place.folder, place.name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
    return failed("finish", item.path);
  }
  return {};
}

Result<void> TreeUnpacker::add_hard_link(const TarItem& item, const Place& place) {
  const UniqueFd target_folder = TRY(open_folder(parent_of(item.target)));
  const Place target{target_folder.get(), name_of(item.target)};
  struct stat status {};
  const bool is_there = !target.name.empty() && ::fstatat(target.folder, target.name.c_str(),
                                                          &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!is_there || !(S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))) {
    return corrupt(item.path, fmt::format("is a hard link to `{}`, which is no file of the layer",
                                          item.target));
  }
  struct stat own {};
  if (::fstatat(place.folder, place.name.c_str(), &own, AT_SYMLINK_NOFOLLOW) == 0 &&
      own.st_ino == status.st_ino) {
    return {};
  }
  const Found found = TRY(look(place, item.path));
  TRY(clear(place, item.path, found));
  if (::linkat(target.folder, target.name.c_str(), place.folder, place.name.c_str(), 0) != 0) {
    const bool is_full = errno == EMLINK;
    Error error = failed("link", item.path);
    if (is_full) {
      error.hints.emplace_back(
          "the disk of the store takes no more names of one file; another kind of file system may");
    }
    return error;
  }
  return {};
}

Result<void> TreeUnpacker::add(const TarItem& item, Source& contents) {
  if (item.path.empty()) return {};  // the root itself: a run has its own
  if (is_mounted_over(item.path) && item.kind != TarItem::Kind::Folder) {
    ++left_out_.of_mounts;
    return {};
  }
  if (item.kind == TarItem::Kind::Device) {
    ++left_out_.devices;
    return {};
  }
  if (item.kind == TarItem::Kind::Other) return corrupt(item.path, "is of no kind known here");
  if (const auto whiteout = read_whiteout(name_of(item.path))) return add_whiteout(item, *whiteout);
  const Place place = TRY(place_of(item.path));
  if (item.kind == TarItem::Kind::Folder) return add_folder(item, place);
  if (item.kind == TarItem::Kind::HardLink) return add_hard_link(item, place);
  const Found found = TRY(look(place, item.path));
  TRY(clear(place, item.path, found));
  if (item.kind == TarItem::Kind::File) {
    return files_.add(item, place.folder, place.name, contents);
  }
  return add_link(item, place);
}

Result<LeftOut> TreeUnpacker::finish() {
  left_out_.attributes += TRY(files_.finish());
  current_.reset();
  for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
    const Result<UniqueFd> fd = open_folder(folder->path);
    if (!fd.ok()) continue;  // a later entry took its place
    const timespec times[2] = {folder->time, folder->time};
    if (::futimens(fd->get(), times) != 0) return failed("finish", folder->path);
  }
  const timespec times[2] = {{kLayerTime, 0}, {kLayerTime, 0}};
  if (::futimens(root_.get(), times) != 0) return failed("finish", "/");
  return left_out_;
}

}  // namespace slipway::layer
