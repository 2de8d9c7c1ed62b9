#include "lazy/file_system.h"

#define FUSE_USE_VERSION 312
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <mutex>

#include "base/file.h"
#include "base/user_namespace.h"
#include "lazy/pending_opens.h"

namespace slipway::lazy {
namespace {

using Kind = layer::TarItem::Kind;

/// Nothing of the tree ever changes, and what is not there never comes.
constexpr double kForever = 1e9;
constexpr std::size_t kDirectBlock = 512;

fuse_ino_t to_ino(NodeId id) { return static_cast<fuse_ino_t>(id) + FUSE_ROOT_ID; }
NodeId to_node(fuse_ino_t ino) { return static_cast<NodeId>(ino - FUSE_ROOT_ID); }

mode_t type_of(Kind kind) {
  switch (kind) {
    case Kind::Folder:
      return S_IFDIR;
    case Kind::Link:
      return S_IFLNK;
    case Kind::Fifo:
      return S_IFIFO;
    default:
      return S_IFREG;
  }
}

}  // namespace

struct FileSystem::State {
  const Tree& tree;
  Contents& contents;
  std::string folder;
  fuse_session* session = nullptr;
  std::atomic<bool> is_detached = false;
  Hearers hearers;
  PendingOpens opens;
  bool has_attributes = false;
  const bool is_all_roots = has_one_id();

  State(const Tree& its_tree, Contents& its_contents, std::string its_folder)
      : tree(its_tree), contents(its_contents), folder(std::move(its_folder)) {
    for (NodeId id = 0; id < tree.size() && !has_attributes; ++id) {
      has_attributes = !tree.node(id).item.attributes.empty();
    }
  }

  static State& of(fuse_req_t request) { return *static_cast<State*>(fuse_req_userdata(request)); }

  struct stat looks(NodeId id) const {
    const Node& node = tree.node(id);
    const layer::TarItem& item = node.item;
    struct stat status {};
    status.st_ino = to_ino(id);
    status.st_mode = type_of(item.kind) | (item.kind == Kind::Link ? 0777U : item.mode);
    status.st_nlink = node.links;
    status.st_uid = is_all_roots ? 0 : item.uid;
    status.st_gid = is_all_roots ? 0 : item.gid;
    status.st_size =
        static_cast<off_t>(item.kind == Kind::Link ? item.target.size() : item.size_bytes);
    status.st_blocks =
        (status.st_size + static_cast<off_t>(kDirectBlock) - 1) / static_cast<off_t>(kDirectBlock);
    status.st_blksize = 4096;
    status.st_mtim = {static_cast<time_t>(item.time_seconds),
                      static_cast<long>(item.time_nanoseconds)};
    status.st_atim = status.st_ctim = status.st_mtim;
    return status;
  }

  fuse_entry_param entry(NodeId id) const {
    fuse_entry_param entry{};
    entry.ino = to_ino(id);
    entry.attr = looks(id);
    entry.attr_timeout = entry.entry_timeout = kForever;
    return entry;
  }

  static void init(void*, fuse_conn_info* connection) {
    connection->want |= connection->capable &
                        (FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS |
                         FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_WRITE |
                         FUSE_CAP_SPLICE_MOVE);
    connection->max_background = 64;
  }

  static void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
    const State& state = of(request);
    const auto found = state.tree.find(to_node(parent), name);
    fuse_entry_param entry{};
    entry.entry_timeout = kForever;  // an answer without an inode: it is not there, remember that
    if (found) entry = state.entry(*found);
    fuse_reply_entry(request, &entry);
  }

  static void getattr(fuse_req_t request, fuse_ino_t ino, fuse_file_info*) {
    const struct stat status = of(request).looks(to_node(ino));
    fuse_reply_attr(request, &status, kForever);
  }

  static void readlink(fuse_req_t request, fuse_ino_t ino) {
    fuse_reply_readlink(request, of(request).tree.node(to_node(ino)).item.target.c_str());
  }

  static void opendir(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
    file->cache_readdir = 1;
    file->keep_cache = 1;
    fuse_reply_open(request, file);
  }

  enum class Plus { No, Yes };
  /// Offsets are places in the sorted folder: 0 and 1 for itself and its parent.
  template <Plus plus>
  static void list(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset,
                   fuse_file_info*) {
    const State& state = of(request);
    const Node& node = state.tree.node(to_node(ino));
    std::string buffer(size, '\0');
    std::size_t used = 0;
    off_t place = 0;
    const auto add = [&](const char* name, NodeId id) {
      if (place++ < offset) return true;
      const fuse_entry_param entry = state.entry(id);
      char* const at = buffer.data() + used;
      const std::size_t needs =
          plus == Plus::Yes ? fuse_add_direntry_plus(request, at, size - used, name, &entry, place)
                            : fuse_add_direntry(request, at, size - used, name, &entry.attr, place);
      if (needs > size - used) return false;
      used += needs;
      return true;
    };
    bool goes_on = add(".", to_node(ino)) && add("..", node.parent);
    for (auto child = node.children.begin(); goes_on && child != node.children.end(); ++child) {
      goes_on = add(child->first.c_str(), child->second);
    }
    fuse_reply_buf(request, buffer.data(), used);
  }

  static void open(fuse_req_t request, fuse_ino_t ino, fuse_file_info* file) {
    State& state = of(request);
    if ((file->flags & O_ACCMODE) != O_RDONLY) {
      fuse_reply_err(request, EROFS);
      return;
    }
    if (state.hearers.on_open) state.hearers.on_open(to_node(ino));
    const auto open =
        state.opens.add(fuse_req_ctx(request)->pid, [request] { fuse_reply_err(request, EINTR); });
    const fuse_file_info info = *file;
    state.contents.open(to_node(ino), [&state, request, open, info](Result<UniqueFd> opened) {
      if (!state.opens.settle(open)) return;
      if (!opened.ok()) {
        if (state.hearers.on_trouble) state.hearers.on_trouble(opened.error());
        fuse_reply_err(request, EIO);
        return;
      }
      fuse_file_info answer = info;
      answer.fh = static_cast<std::uint64_t>(opened->get());
      answer.keep_cache = 1;
      // Who was interrupted meanwhile never releases it.
      if (fuse_reply_open(request, &answer) == 0) (void)opened->release();
    });
  }

  static void read(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset,
                   fuse_file_info* file) {
    fuse_bufvec buffer = FUSE_BUFVEC_INIT(size);
    buffer.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
    buffer.buf[0].fd = static_cast<int>(file->fh);
    buffer.buf[0].pos = offset;
    fuse_reply_data(request, &buffer, FUSE_BUF_SPLICE_MOVE);
  }

  static void release(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
    ::close(static_cast<int>(file->fh));
    fuse_reply_err(request, 0);
  }

  static void getxattr(fuse_req_t request, fuse_ino_t ino, const char* name, std::size_t size) {
    const State& state = of(request);
    const auto& attributes = state.tree.node(to_node(ino)).item.attributes;
    const auto found = attributes.find(name);
    if (found == attributes.end()) {
      // ENOSYS: the kernel need not ask again, for any file.
      fuse_reply_err(request, state.has_attributes ? ENODATA : ENOSYS);
    } else if (size == 0) {
      fuse_reply_xattr(request, found->second.size());
    } else if (size < found->second.size()) {
      fuse_reply_err(request, ERANGE);
    } else {
      fuse_reply_buf(request, found->second.data(), found->second.size());
    }
  }

  static void listxattr(fuse_req_t request, fuse_ino_t ino, std::size_t size) {
    std::string names;
    for (const auto& [name, value] : of(request).tree.node(to_node(ino)).item.attributes) {
      names += name;
      names += '\0';
    }
    if (size == 0) {
      fuse_reply_xattr(request, names.size());
    } else if (size < names.size()) {
      fuse_reply_err(request, ERANGE);
    } else {
      fuse_reply_buf(request, names.data(), names.size());
    }
  }

  static void statfs(fuse_req_t request, fuse_ino_t) {
    struct statvfs status {};
    status.f_bsize = status.f_frsize = 4096;
    status.f_files = of(request).tree.size();
    status.f_namemax = 255;
    fuse_reply_statfs(request, &status);
  }
};

FileSystem::FileSystem(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileSystem::FileSystem(FileSystem&&) noexcept = default;

FileSystem::~FileSystem() {
  if (!state_ || state_->session == nullptr) return;
  detach();
  fuse_session_destroy(state_->session);
}

Result<void> check_fuse() {
  const UniqueFd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (device) return {};
  const bool is_for_others = errno == EACCES || errno == EPERM;
  return make_error(ErrorKind::Unsupported, "/dev/fuse cannot be opened: {}", std::strerror(errno))
      .hint(is_for_others ? "it is the administrator's: `chmod 666 /dev/fuse` lets every user"
                          : "`modprobe fuse` where the kernel has it as a module");
}

Result<FileSystem> FileSystem::mount(const Tree& tree, Contents& contents,
                                     const std::string& folder) {
  TRY(check_fuse());
  auto state = std::make_unique<State>(tree, contents, folder);
  fuse_lowlevel_ops operations{};
  operations.init = State::init;
  operations.lookup = State::lookup;
  operations.getattr = State::getattr;
  operations.readlink = State::readlink;
  operations.opendir = State::opendir;
  operations.readdir = State::list<State::Plus::No>;
  operations.readdirplus = State::list<State::Plus::Yes>;
  operations.open = State::open;
  operations.read = State::read;
  operations.release = State::release;
  operations.getxattr = State::getxattr;
  operations.listxattr = State::listxattr;
  operations.statfs = State::statfs;
  // The kernel judges by modes and owners, set-id bits included, as of a layer on the disk.
  std::string words[] = {
      "slipway", "-o",
      "ro,allow_other,default_permissions,suid,dev,fsname=slipway,subtype=slipway"};
  std::array<char*, 4> pointers{words[0].data(), words[1].data(), words[2].data(), nullptr};
  fuse_args arguments = FUSE_ARGS_INIT(3, pointers.data());
  state->session = fuse_session_new(&arguments, &operations, sizeof operations, state.get());
  fuse_opt_free_args(&arguments);
  if (state->session == nullptr) return make_error(ErrorKind::Io, "libfuse refuses its options");
  if (fuse_session_mount(state->session, folder.c_str()) != 0) {
    fuse_session_destroy(state->session);
    return errno_error(fmt::format("cannot mount at `{}`", folder));
  }
  return FileSystem(std::move(state));
}

Result<void> FileSystem::serve(const Hearers& hearers) {
  state_->hearers = hearers;
  const int ended = fuse_session_loop(state_->session);
  if (ended < 0) return errno_error("the file system ended", -ended);
  return {};
}

void FileSystem::detach() {
  if (!state_->is_detached.exchange(true)) ::umount2(state_->folder.c_str(), MNT_DETACH);
}

}  // namespace slipway::lazy
