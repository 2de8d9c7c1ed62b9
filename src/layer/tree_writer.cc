#include "layer/tree_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "layer/layout.h"

namespace slipway::layer {
namespace {

constexpr timespec kTimes[2] = {{kLayerTime, 0}, {kLayerTime, 0}};
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

std::string leaf(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

}  // namespace

Result<TreeWriter> TreeWriter::open(const std::string& folder, Owners owners) {
  TreeWriter writer;
  writer.owners_ = owners;
  writer.root_path_ = folder;
  writer.root_ = TRY(open_file(folder, kFolderFlags));
  return writer;
}

bool TreeWriter::is_given_away(const Attributes& attributes) const {
  const bool is_ours = attributes.uid == ::geteuid() && attributes.gid == ::getegid();
  return owners_ == Owners::AsSaid && !is_ours;
}

std::string TreeWriter::shown(std::string_view path) const { return join_path(root_path_, path); }

Result<int> TreeWriter::enter_parent(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return root_.get();
  const std::string_view parent = path.substr(0, slash);
  if (!current_ || parent != current_path_) {
    current_ = TRY(open_beneath(root_.get(), std::string(parent), kFolderFlags, 0));
    current_path_ = parent;
  }
  return current_.get();
}

Result<void> TreeWriter::make_folder(std::string_view path, const Attributes& attributes) {
  const int parent = TRY(enter_parent(path));
  const std::string name = leaf(path);
  if (::mkdirat(parent, name.c_str(), 0700) != 0) {
    return errno_error(fmt::format("cannot make folder `{}`", shown(path)));
  }
  if (is_given_away(attributes) &&
      ::fchownat(parent, name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error(fmt::format("cannot give away `{}`", shown(path)));
  }
  folders_.push_back({std::string(path), attributes.mode});
  return {};
}

Result<UniqueFd> TreeWriter::create_file(std::string_view path, const Attributes& attributes) {
  const int parent = TRY(enter_parent(path));
  UniqueFd fd(::openat(parent, leaf(path).c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return errno_error(fmt::format("cannot create `{}`", shown(path)));
  // Before the mode: a change of owner clears set-id bits.
  if (is_given_away(attributes) && ::fchown(fd.get(), attributes.uid, attributes.gid) != 0) {
    return errno_error(fmt::format("cannot give away `{}`", shown(path)));
  }
  return fd;
}

Result<void> TreeWriter::write_file(std::string_view path, const Attributes& attributes,
                                    Bytes contents) {
  const UniqueFd fd = TRY(create_file(path, attributes));
  TRY_WHILE(fmt::format("writing `{}`", shown(path)), FdSink(fd.get()).write(contents));
  if (::fchmod(fd.get(), attributes.mode) != 0 || ::futimens(fd.get(), kTimes) != 0) {
    return errno_error(fmt::format("cannot finish `{}`", shown(path)));
  }
  return {};
}

Result<void> TreeWriter::begin_large(std::string_view path, const Attributes& attributes,
                                     std::uint64_t size_bytes, DirectWriter::Observer observer) {
  UniqueFd fd = TRY(create_file(path, attributes));
  return large_->begin(std::move(fd), size_bytes, shown(path), std::move(observer));
}

Result<void> TreeWriter::make_link(std::string_view path, std::string_view target,
                                   const Attributes& attributes) {
  const int parent = TRY(enter_parent(path));
  const std::string name = leaf(path);
  if (::symlinkat(std::string(target).c_str(), parent, name.c_str()) != 0 ||
      (is_given_away(attributes) && ::fchownat(parent, name.c_str(), attributes.uid, attributes.gid,
                                               AT_SYMLINK_NOFOLLOW) != 0) ||
      ::utimensat(parent, name.c_str(), kTimes, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error(fmt::format("cannot make link `{}`", shown(path)));
  }
  return {};
}

Result<void> TreeWriter::make_hard_link(std::string_view path, const std::string& target) {
  const int parent = TRY(enter_parent(path));
  if (::linkat(root_.get(), target.c_str(), parent, leaf(path).c_str(), 0) != 0) {
    return errno_error(fmt::format("cannot make link `{}`", shown(path)));
  }
  return {};
}

Result<void> TreeWriter::finish() {
  TRY(large_->finish());
  for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
    const int parent = TRY(enter_parent(folder->path));
    const std::string name = leaf(folder->path);
    if (::fchmodat(parent, name.c_str(), folder->mode, 0) != 0 ||
        ::utimensat(parent, name.c_str(), kTimes, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno_error(fmt::format("cannot finish `{}`", shown(folder->path)));
    }
  }
  if (::futimens(root_.get(), kTimes) != 0)
    return errno_error("cannot finish `" + root_path_ + "`");
  large_ = std::make_unique<DirectWriter>();
  current_.reset();
  return {};
}

}  // namespace slipway::layer
