#include "lazy/contents.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/open_within.h"
#include "layer/decompress.h"

namespace slipway::lazy {
namespace {

constexpr std::size_t kBufferBytes = 1 << 18;
constexpr std::uint64_t kAheadBytes = 8 << 20;
/// Smaller ones hardly fill a piece of their own.
constexpr std::uint64_t kLeastReleased = 2 * BlobPieces::kPieceBytes;
constexpr std::uint64_t kReleasedAtOnce = 4 * BlobPieces::kPieceBytes;
/// Behind a file's contents its member has the headers of what comes next.
constexpr std::size_t kMostTail = 1 << 16;
constexpr std::string_view kPartlySuffix = ".part";
/// A start that opens none of its files for so long is over: its processor-seconds lie between two.
constexpr std::chrono::milliseconds kStartPause{2000};

/// A part of a blob, front to back, which waits for what has not come; where nobody needs it again,
/// what was read is released.
class PieceSource final : public Source {
 public:
  PieceSource(Fetcher& fetcher, const BlobPieces& blob, std::size_t index, const Extent& extent,
              bool is_released)
      : fetcher_(fetcher),
        blob_(blob),
        index_(index),
        is_released_(is_released),
        next_(extent.offset),
        released_(extent.offset),
        end_(extent.end) {
    fetcher_.hurry(index, next_, end_ - next_);
  }
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end_ - next_));
    if (wanted == 0) return std::size_t{0};
    TRY(fetcher_.need(index_, next_, wanted, std::min(kAheadBytes, end_ - next_)));
    const std::size_t got = TRY(blob_.read(next_, buffer.first(wanted)));
    next_ += got;
    if (is_released_ && next_ - released_ >= kReleasedAtOnce) {
      (void)fetcher_.release(index_, released_, next_ - released_);  // where that fails, they stay
      released_ = next_ / BlobPieces::kPieceBytes * BlobPieces::kPieceBytes;
    }
    return got;
  }

 private:
  Fetcher& fetcher_;
  const BlobPieces& blob_;
  std::size_t index_;
  bool is_released_;
  std::uint64_t next_, released_, end_;
};

/// Nothing where it is long, or where its member does not end well: then it is not to be rebuilt.
std::optional<std::string> read_tail(Source& member) {
  std::vector<std::byte> buffer(kMostTail + 1);
  const Result<std::size_t> size = read_full(member, buffer);
  if (!size.ok() || *size > kMostTail) return std::nullopt;
  return std::string(as_text(Bytes(buffer).first(*size)));
}

}  // namespace

Contents::Contents(Setup setup)
    : setup_(std::move(setup)),
      trees_(setup_.layers.size()),
      parts_(setup_.layers.size()),
      is_settled_(setup_.layers.size()) {
  // One of them is always free for those who wait.
  for (std::size_t i = 0; i < std::max<std::size_t>(setup_.workers, 2); ++i) {
    workers_.emplace_back([this, i] { work(/*may_expect=*/i > 0); });
  }
}

Result<void> Contents::remove_partial(const std::string& folder) {
  for (const std::string& name : TRY(list_folder(folder))) {
    if (name.ends_with(kPartlySuffix)) TRY(remove_file(join_path(folder, name)));
  }
  return {};
}

Contents::~Contents() {
  {
    const std::lock_guard lock(mutex_);
    cancel_.cancel();
  }
  changed_.notify_all();
  workers_.clear();
  for (auto& [file, wanted] : wanted_) {
    for (const Ready& ready : wanted) ready(make_error(ErrorKind::Cancelled, "it was stopped"));
  }
}

std::string Contents::kept_path(const Extent& extent) const {
  return join_path(setup_.folder, extent.digest.hex());
}

/// What its member has behind the file, for a later process. Several members can have that file.
std::string Contents::tail_path(std::size_t layer, const Extent& extent) const {
  return fmt::format("{}.{}-{}-{}", kept_path(extent), layer, extent.offset, extent.end);
}

bool Contents::is_there(const Node& node) const {
  const auto* extent = std::get_if<Extent>(&node.contents);
  return extent == nullptr || trees_[node.layer] != nullptr || kept_.contains(extent->digest);
}

/// Nobody has looked at what the layer's tree has there: the table may tell another story. No link
/// is followed, so that none leads out of the tree, and what is no file is not opened.
Result<UniqueFd> Contents::open_in_tree(const Node& node, int tree) const {
  constexpr std::uint64_t kInside =
      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  UniqueFd file(open_within(tree, node.item.path.c_str(), O_RDONLY | O_NONBLOCK, kInside));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return make_error(ErrorKind::Corrupt, "`{}` is not in its layer, whose table names it",
                      node.item.path);
  }
  return file;
}

/// Nothing where it is not there, or not any more.
std::optional<Result<UniqueFd>> Contents::open_now(const Node& node) const {
  std::shared_ptr<UniqueFd> tree;
  std::string path = "/dev/null";
  {
    const std::lock_guard lock(mutex_);
    if (!is_there(node)) return std::nullopt;
    if (const auto* on_host = std::get_if<HostPath>(&node.contents)) path = *on_host;
    if (const auto* extent = std::get_if<Extent>(&node.contents)) {
      tree = trees_[node.layer];
      path = kept_path(*extent);
    }
  }
  if (tree) return open_in_tree(node, tree->get());
  Result<UniqueFd> opened = open_file(path, O_RDONLY | O_NOFOLLOW);
  // What was kept of a layer goes when its tree is there, and with it what stood in for files of
  // other layers that have the same contents.
  const bool is_gone = !opened.ok() && opened.error().kind == ErrorKind::NotFound &&
                       std::holds_alternative<Extent>(node.contents);
  return is_gone ? open_after_change(node, path) : std::move(opened);
}

std::optional<Result<UniqueFd>> Contents::open_after_change(const Node& node,
                                                            const std::string& path) const {
  {
    const std::lock_guard lock(mutex_);
    if (!is_there(node)) return std::nullopt;
    if (!trees_[node.layer]) return make_error(ErrorKind::Io, "`{}` has been removed", path);
  }
  return open_now(node);
}

void Contents::answer(NodeId file, Ready ready) {
  std::optional<Result<UniqueFd>> opened = open_now(setup_.tree.node(file));
  if (opened) {
    ready(std::move(*opened));
  } else {
    open(file, std::move(ready));
  }
}

void Contents::open(NodeId file, Ready ready) {
  {
    const std::lock_guard lock(mutex_);
    if (of_start_.erase(file) > 0) {
      starting_until_ = std::chrono::steady_clock::now() + kStartPause;
      setup_.fetcher.put_off_rest(kStartPause);
    }
    if (!is_there(setup_.tree.node(file))) {
      wanted_[file].push_back(std::move(ready));
      if (!coming_.contains(file)) awaited_.push_back(file);
      changed_.notify_all();
      return;
    }
  }
  answer(file, std::move(ready));
}

void Contents::expect(const std::vector<NodeId>& files) {
  for (const NodeId file : files) {
    const Node& node = setup_.tree.node(file);
    const auto* extent = std::get_if<Extent>(&node.contents);
    if (extent == nullptr) continue;
    if (!path_exists(kept_path(*extent))) {
      setup_.fetcher.expect(setup_.layers[node.layer].blob, extent->offset,
                            extent->end - extent->offset);
    }
    const std::lock_guard lock(mutex_);
    expected_.push_back(file);
    of_start_.insert(file);
  }
  changed_.notify_all();
}

std::optional<std::string> Contents::find_kept(std::string_view path) const {
  const auto file = setup_.tree.resolve(path);
  const auto* extent = file ? std::get_if<Extent>(&setup_.tree.node(*file).contents) : nullptr;
  if (extent == nullptr) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return kept_.contains(extent->digest) ? std::optional(kept_path(*extent)) : std::nullopt;
}

Result<void> Contents::take_from_tree(std::size_t layer, const std::string& folder) {
  auto tree = std::make_shared<UniqueFd>(TRY(open_file(folder, O_PATH | O_DIRECTORY)));
  const std::lock_guard lock(mutex_);
  trees_[layer] = std::move(tree);
  std::erase_if(kept_, [&](const auto& kept) {
    if (kept.second != layer) return false;
    (void)remove_file(join_path(setup_.folder, kept.first.hex()));
    return true;
  });
  for (const UnpackedPart& part : parts_[layer]) (void)remove_file(part.tail_path);
  return {};
}

bool Contents::is_idle(std::chrono::milliseconds since) const {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  return wanted_.empty() && expected_.empty() && now >= last_made_ + since &&
         now >= starting_until_;
}

/// Its part of the blob is of no use once it is unpacked.
bool Contents::releases(const Node& node) const {
  return setup_.layers[node.layer].may_release && std::get<Extent>(node.contents).skip == 0 &&
         node.item.size_bytes >= kLeastReleased;
}

/// Under the mutex: one of two that read the same bytes would release them.
bool Contents::must_wait(NodeId file) const {
  const Node& node = setup_.tree.node(file);
  const Extent& extent = std::get<Extent>(node.contents);
  return std::ranges::any_of(coming_, [&](NodeId coming) {
    const Node& other = setup_.tree.node(coming);
    const Extent& its = std::get<Extent>(other.contents);
    return other.layer == node.layer && its.offset < extent.end && extent.offset < its.end &&
           (releases(node) || releases(other));
  });
}

/// Under the mutex.
std::optional<NodeId> Contents::take_job(bool may_expect) {
  for (auto next = awaited_.begin(); next != awaited_.end();) {
    const NodeId file = *next;
    const bool is_taken = !wanted_.contains(file) || coming_.contains(file);
    if (!is_taken && must_wait(file)) {
      ++next;
      continue;
    }
    next = awaited_.erase(next);
    if (!is_taken) return file;
  }
  while (may_expect && !expected_.empty()) {
    const NodeId file = expected_.front();
    expected_.pop_front();
    const bool is_needless =
        is_there(setup_.tree.node(file)) || wanted_.contains(file) || must_wait(file);
    if (!is_needless) return file;
  }
  return std::nullopt;
}

void Contents::work(bool may_expect) {
  std::unique_lock lock(mutex_);
  while (!cancel_.cancelled()) {
    const std::optional<NodeId> file = take_job(may_expect);
    if (!file) {
      changed_.wait(lock);
      continue;
    }
    wanted_[*file];
    coming_.insert(*file);
    lock.unlock();
    const Node& node = setup_.tree.node(*file);
    const Result<Made> made = make(node);
    lock.lock();
    last_made_ = std::chrono::steady_clock::now();
    const bool is_kept = made.ok() && !trees_[node.layer] && keep(node);
    if (!made.ok() || *made == Made::WithTail) end_release(node, is_kept);
    const std::vector<Ready> ready = std::move(wanted_.extract(*file).mapped());
    coming_.erase(*file);
    lock.unlock();
    changed_.notify_all();
    const Extent& extent = std::get<Extent>(node.contents);
    (void)setup_.fetcher.write_held(setup_.layers[node.layer].blob, extent.offset,
                                    extent.end - extent.offset);
    for (const Ready& one : ready) {
      if (made.ok()) {
        answer(*file, one);
      } else {
        one(made.error());
      }
    }
    lock.lock();
  }
}

/// Under the mutex: the file is there from now on. Not where another layer has brought it, or has
/// just taken it along.
bool Contents::keep(const Node& node) {
  const Extent& extent = std::get<Extent>(node.contents);
  return path_exists(kept_path(extent)) && kept_.emplace(extent.digest, node.layer).second;
}

/// Under the mutex: of the bytes that were read for a file either all can be done without, or none
/// stays released. Where that fails, the layer's digest tells.
void Contents::end_release(const Node& node, bool is_kept) {
  const Extent& extent = std::get<Extent>(node.contents);
  const std::size_t blob = setup_.layers[node.layer].blob;
  if (!is_kept) {
    (void)setup_.fetcher.want_back(blob, extent.offset, extent.end - extent.offset);
    return;
  }
  parts_[node.layer].push_back(
      {extent.offset, extent.end, kept_path(extent), tail_path(node.layer, extent)});
  (void)setup_.fetcher.release(blob, extent.offset, extent.end - extent.offset);
}

Result<std::vector<UnpackedPart>> Contents::settle(std::size_t layer) {
  {
    const std::lock_guard lock(mutex_);
    is_settled_[layer] = true;
    const auto is_its = [&](NodeId file) { return setup_.tree.node(file).layer == layer; };
    if (std::ranges::any_of(coming_, is_its)) {
      return make_error(ErrorKind::Unavailable, "files of layer {} are just coming", layer);
    }
  }
  // What was expected, and then came with another layer.
  const std::size_t blob = setup_.layers[layer].blob;
  TRY(setup_.fetcher.write_held(blob, 0, setup_.blobs[blob].size_bytes()));
  const std::lock_guard lock(mutex_);
  return parts_[layer];
}

Result<void> Contents::fetch_anew(std::size_t layer) {
  {
    const std::lock_guard lock(mutex_);
    is_settled_[layer] = true;
    parts_[layer].clear();
  }
  const std::size_t blob = setup_.layers[layer].blob;
  return setup_.fetcher.forget(blob, 0, setup_.blobs[blob].size_bytes());
}

/// Fetches and inflates one file into `path`. Returns what its bytes hash to; `tail`, if wanted,
/// is what stands behind them.
Result<Digest> Contents::unpack(const Node& node, const std::string& path,
                                std::optional<std::string>* tail) {
  const Extent& extent = std::get<Extent>(node.contents);
  const std::size_t blob = setup_.layers[node.layer].blob;
  PieceSource packed(setup_.fetcher, setup_.blobs[blob], blob, extent, tail != nullptr);
  layer::Decompressed plain(packed);
  const UniqueFd file = TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  FdSink out(file.get());
  HashingSink sink(&out);
  std::vector<std::byte> buffer(kBufferBytes);
  for (std::uint64_t skip = extent.skip, left = node.item.size_bytes; skip + left > 0;) {
    const std::uint64_t wanted = std::min<std::uint64_t>(skip > 0 ? skip : left, buffer.size());
    const std::size_t got =
        TRY(plain.read(std::span(buffer).first(static_cast<std::size_t>(wanted))));
    if (got == 0) break;  // the digest tells
    if (skip > 0) {
      skip -= got;
      continue;
    }
    TRY_WHILE(fmt::format("unpacking `{}`", node.item.path), sink.write(Bytes(buffer).first(got)));
    left -= got;
  }
  if (tail) *tail = read_tail(plain);
  return sink.finish();
}

/// Bytes that were not the right ones are forgotten, so that the next call fetches them anew.
Result<Contents::Made> Contents::make(const Node& node) {
  const Extent& extent = std::get<Extent>(node.contents);
  bool is_released = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_there(node)) return Made::Plainly;  // another file with the same contents
    is_released = releases(node) && !is_settled_[node.layer];
  }
  const Fetcher::Urgency urgency(setup_.fetcher);
  const std::string path = kept_path(extent), its_tail = tail_path(node.layer, extent);
  const auto made = [&](bool has_tail) { return has_tail ? Made::WithTail : Made::Plainly; };
  if (path_exists(path) && TRY(sha256_of_file(path)) == extent.digest) {
    return made(is_released && path_exists(its_tail));
  }
  const std::string partly =
      fmt::format("{}.{}{}", path, static_cast<const void*>(&node), kPartlySuffix);
  std::optional<std::string> tail;
  const Result<Digest> digest = unpack(node, partly, is_released ? &tail : nullptr);
  const std::size_t blob = setup_.layers[node.layer].blob;
  const std::uint64_t bytes = extent.end - extent.offset;
  if (digest.ok() && *digest == extent.digest) {
    if (tail) {
      TRY(write_file(its_tail, *tail));
    } else {
      TRY(setup_.fetcher.want_back(blob, extent.offset, bytes));
    }
    TRY(rename_path(partly, path));
    return made(tail.has_value());
  }
  (void)remove_file(partly);
  if (!digest.ok() && digest.error().kind != ErrorKind::Corrupt) return digest.error();
  TRY(setup_.fetcher.forget(blob, extent.offset, bytes));
  Error error = make_error(ErrorKind::Corrupt, "`{}` is not the file that the layer's table names",
                           node.item.path);
  if (!digest.ok()) error.because.push_back("its member " + digest.error().message);
  return error;
}

}  // namespace slipway::lazy
