#include "plan/lazy_server.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/joined_namespace.h"
#include "base/threads.h"
#include "base/user_namespace.h"
#include "lazy/contents.h"
#include "lazy/file_system.h"
#include "lazy/folder_entries.h"
#include "lazy/rebuilt_layer.h"
#include "lazy/stargz_index.h"
#include "plan/image_tree.h"
#include "plan/lazy_folder.h"
#include "plan/lazy_log.h"
#include "plan/lazy_tree.h"
#include "plan/pull_image.h"
#include "plan/read_order.h"
#include "plan/stored_images.h"
#include "run/handover.h"

namespace slipway::plan {
namespace {

using namespace std::chrono_literals;

/// A start that found the mount just before the tree took its place has mounted it by then.
constexpr auto kLastStarts = 3s;
constexpr auto kProgressEvery = 500ms;
constexpr auto kQuiet = 1s;
constexpr std::chrono::milliseconds kFirstPause = 2s, kLongestPause = 5min;

/// And not of the disk that is written to, nor of the network.
bool is_of_contents(const Error& error) {
  return error.kind == ErrorKind::Corrupt || error.kind == ErrorKind::Unsupported ||
         error.kind == ErrorKind::NotFound;
}

/// This thread, and those that it starts (setpriority(2), ioprio_set(2)).
void yield_to_others() {
  constexpr int kLowest = 19, kOfProcess = 1, kIdleClass = 3, kClassShift = 13;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);
  ::syscall(SYS_ioprio_set, kOfProcess, 0, kIdleClass << kClassShift);
}

class LazyServer {
 public:
  LazyServer(const IncomingImage& image, const store::Store& store, const Tools& tools)
      : image_(image),
        store_(store),
        folder_(store, image.config.diff_ids),
        log_(folder_.inside("log")),
        tools_(with_reporter(tools, log_)) {}

  Result<void> run(run::Handover& handover) {
    auto lock = TRY(FileLock::try_lock(folder_.inside("lock")));
    if (!lock) {  // somebody was faster
      TRY(wait_until_served(folder_, tools_.cancel));
      handover.say_started();
      return {};
    }
    TRY(folder_.remove_server());  // one before this one
    for (const char* name : {"lock", "log"}) TRY(folder_.give_to_owner(name));
    const LazyRecord record = TRY(folder_.read_record());
    const store::ImageName name = TRY(store::parse_image_name(record.reference));
    const ImagePlace place = TRY(find_place(name, record.trust, tools_));
    image_.arrivals = {folder_.inside("blobs"), origin_of(place)};
    TRY(take_up());
    lazy::Tree tree = TRY(make_tree());
    registry::Registry registry = TRY(registry::Registry::open(place.host, {}, tools_.cancel));
    const auto fetch = [&](std::size_t blob, std::uint64_t first, std::uint64_t bytes,
                           const CancelToken& cancel) {
      return registry.fetch_range(place.repository, descriptor(blob), first, bytes, cancel);
    };
    lazy::Fetcher fetcher(
        blobs_, fetch,
        {.on_whole = [this](std::size_t blob) { note_whole(blob); }, .may_hold = may_hold_});
    lazy::Contents contents({tree, blobs_, fetcher, content_layers_, folder_.inside("files")});
    lazy::FileSystem files = TRY(lazy::FileSystem::mount(tree, contents, folder_.inside("mnt")));
    TRY(folder_.link_tree("mnt"));
    const std::string us = TRY(own_process_mark());
    TRY(folder_.write_server({us, store_.owner()}));
    contents.expect(TRY(read_order(tree)));
    std::jthread finisher([&] { finish_all(fetcher, contents, files); });
    handover.say_started();
    TRY(files.serve({.on_trouble = [this](const Error& error) { log_.tell(error); }}));
    is_over_ = true;
    finisher.join();
    if (!is_whole_) return {};
    const Result<void> removed = folder_.remove_parts();
    if (!removed.ok()) log_.tell(removed.error());
    return {};
  }

 private:
  const oci::Descriptor& descriptor(std::size_t blob) const {
    return image_.manifest.layers[layers_[blob]];
  }

  /// What a server before this one has left: a mount that answers no more, files that are cut.
  Result<void> take_up() {
    ::umount2(folder_.inside("mnt").c_str(), MNT_DETACH);
    TRY(make_folders(folder_.inside("files")));
    TRY(folder_.give_to_owner("files"));
    return lazy::Contents::remove_partial(folder_.inside("files"));
  }

  /// Whether its blob is of no use once the tree is there. Of an image that has a layer twice both
  /// are one file.
  bool is_releasable(const oci::Descriptor& layer) const {
    const auto is_it = [&](const oci::Descriptor& other) { return other.digest == layer.digest; };
    return !stays_as_blob(layer, image_) &&
           std::ranges::count_if(image_.manifest.layers, is_it) == 1;
  }

  Result<lazy::Tree> make_tree() {
    lazy::Tree tree;
    const auto& diff_ids = image_.config.diff_ids;
    content_layers_.assign(diff_ids.size(), {});
    for (std::size_t i = 0; i < diff_ids.size(); ++i) {
      const oci::Descriptor& layer = image_.manifest.layers[i];
      if (store_.has_blob(layer.digest)) {  // a server before this one came so far
        const store::Lease lease = TRY(store_.lease(log_, tools_.cancel));
        TRY(unpack_incoming_layer(store_, image_, i, tools_));
      }
      if (store_.has_layer(diff_ids[i])) {
        const auto entries = TRY(lazy::list_folder_entries(store_.layer_path(diff_ids[i])));
        TRY(tree.add_layer(i, entries));
        continue;
      }
      const LazyFolder::Table table = TRY(folder_.read_table(layer.digest));
      const auto entries = TRY(lazy::parse_stargz_index(table.text, table.toc_offset));
      TRY_WHILE(fmt::format("layer `{}`", layer.digest.text()), tree.add_layer(i, entries));
      may_hold_.push_back(is_releasable(layer));
      content_layers_[i] = {blobs_.size(), may_hold_.back()};
      layers_.push_back(i);
      most_bytes_.push_back(lazy::most_tar_bytes(entries) + table.text.size());
      const std::string blob = "blobs/" + layer.digest.hex();
      blobs_.push_back(TRY(lazy::BlobPieces::open(folder_.inside(blob), layer.size_bytes)));
      for (const char* end : {"", ".pieces"}) TRY(folder_.give_to_owner(blob + end));
    }
    tree.count_links();
    return tree;
  }

  /// The files that a start is said to read.
  Result<std::vector<lazy::NodeId>> read_order(const lazy::Tree& tree) const {
    std::vector<lazy::NodeId> files;
    if (!path_exists(folder_.inside("order"))) return files;
    const std::string text = TRY(read_file(folder_.inside("order")));
    for (const std::string& path : parse_read_order(text)) {
      if (const auto file = tree.resolve(path)) files.push_back(*file);
    }
    return files;
  }

  void note_whole(std::size_t blob) {
    {
      const std::lock_guard lock(mutex_);
      whole_.push_back(blob);
    }
    changed_.notify_all();
  }

  /// Makes the image an ordinary one, piece by piece. Whoever uses it goes first, with the
  /// processor and with the disk.
  void finish_all(lazy::Fetcher& fetcher, lazy::Contents& contents, lazy::FileSystem& files) {
    yield_to_others();
    fetcher.fetch_rest();
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < usable_cores(); ++i) {
        workers.emplace_back([&] { finish_blobs(contents); });
      }
      while (!tools_.cancel.cancelled() && !is_finished()) {
        note_progress();
        std::this_thread::sleep_for(kProgressEvery);
      }
    }
    auto pause = kFirstPause;
    while (!tools_.cancel.cancelled() && !is_whole_) {
      const Result<void> made = make_whole();
      is_whole_ = made.ok();
      if (!is_whole_) tell_and_rest(made.error(), pause);
    }
    files.detach();
    // A server that is told to stop leaves its users behind; the kernel tells them.
    while (!is_over_) {
      if (tools_.cancel.cancelled()) ::_exit(0);
      std::this_thread::sleep_for(kProgressEvery);
    }
  }

  /// Makes trees of blobs as they become whole, until all are made; for several threads. What fails
  /// (a full disk) is tried again, ever more seldom, and the image is served meanwhile.
  void finish_blobs(lazy::Contents& contents) {
    auto pause = kFirstPause;
    while (!tools_.cancel.cancelled() && !is_finished()) {
      if (!contents.is_idle(kQuiet)) {
        std::this_thread::sleep_for(kProgressEvery);
        continue;
      }
      const auto blob = take_whole();
      if (!blob) continue;
      const Result<void> finished = finish(*blob, contents);
      note_finished(*blob, finished.ok());
      if (finished.ok()) {
        pause = kFirstPause;
        continue;
      }
      if (finished.error().kind == ErrorKind::Unavailable) {  // a file of it is just coming
        sleep_for(kProgressEvery);
      } else {
        tell_and_rest(finished.error(), pause);
      }
      note_whole(*blob);
    }
  }

  bool is_finished() {
    const std::lock_guard lock(mutex_);
    return finished_.size() == blobs_.size();
  }

  void note_finished(std::size_t blob, bool is_well) {
    const std::lock_guard lock(mutex_);
    being_finished_.erase(descriptor(blob).digest);
    if (is_well) finished_.insert(blob);
  }

  void tell_and_rest(const Error& error, std::chrono::milliseconds& pause) {
    if (tools_.cancel.cancelled()) return;
    log_.tell(error);
    sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }

  /// Waits a moment for one. Not one that another thread is finishing: of an image that has a layer
  /// twice, both are one file.
  std::optional<std::size_t> take_whole() {
    std::unique_lock lock(mutex_);
    const auto find = [&] {
      return std::ranges::find_if(whole_, [&](std::size_t blob) {
        return !being_finished_.contains(descriptor(blob).digest);
      });
    };
    changed_.wait_for(lock, kProgressEvery, [&] { return find() != whole_.end(); });
    const auto found = find();
    if (found == whole_.end()) return std::nullopt;
    const std::size_t blob = *found;
    whole_.erase(found);
    // Told twice, or other bytes than they should be, which come anew: that will be told.
    if (finished_.contains(blob) || !blobs_[blob].is_complete()) return std::nullopt;
    being_finished_.insert(descriptor(blob).digest);
    return blob;
  }

  void sleep_for(std::chrono::milliseconds time) const {
    for (; time > 0ms && !tools_.cancel.cancelled(); time -= kProgressEvery) {
      std::this_thread::sleep_for(kProgressEvery);
    }
  }

  Result<void> finish(std::size_t blob, lazy::Contents& contents) {
    const std::size_t i = layers_[blob];
    const Digest& digest = descriptor(blob).digest;
    const lazy::BlobPieces& pieces = blobs_[blob];
    const store::Lease lease = TRY(store_.lease(log_, tools_.cancel));
    UnpackedBefore before;
    before.kept = [&](const layer::TarItem& file) { return contents.find_kept(file.path); };
    const std::vector<lazy::UnpackedPart> parts = TRY(contents.settle(i));
    lazy::RebuiltLayer rebuilt(pieces, parts, most_bytes_[blob]);
    if (!parts.empty()) before.tar = &rebuilt;
    if (parts.empty() && !store_.has_blob(digest) && !store_.has_layer(image_.config.diff_ids[i])) {
      if (TRY(sha256_of_file(pieces.path())) != digest) {
        TRY(contents.fetch_anew(i));
        return make_error(ErrorKind::Corrupt, "layer `{}` came with other bytes; once more",
                          digest.text());
      }
      if (stays_as_blob(descriptor(blob), image_)) TRY(store_.adopt_blob(pieces.path(), digest));
    }
    const Result<void> unpacked = unpack_incoming_layer(store_, image_, i, tools_, before);
    // Its own bytes will tell whether it is the table that is wrong, or what the registry gave.
    if (!unpacked.ok() && !parts.empty() && is_of_contents(unpacked.error())) {
      TRY(contents.fetch_anew(i));
    }
    TRY(unpacked);
    TRY(pieces.remove_marks());
    if (!stays_as_blob(descriptor(blob), image_)) TRY(pieces.drop());
    return contents.take_from_tree(i, store_.layer_path(image_.config.diff_ids[i]));
  }

  Result<void> make_whole() {
    const store::Lease lease = TRY(store_.lease(log_, tools_.cancel));
    const StoredImage image = TRY(read_stored_image(store_, image_.shown(), image_.digest));
    TRY(merge_image_tree(image, store_, tools_));
    TRY(store_.settle_layers());
    TRY(folder_.link_tree("../../layers/" + oci::chain_id(image_.config.diff_ids).hex()));
    note_progress();
    std::this_thread::sleep_for(kLastStarts);
    return {};
  }

  void note_progress() {
    LazyFolder::Progress progress;
    for (const lazy::BlobPieces& blob : blobs_) {
      progress.there_bytes += blob.bytes_come();
      progress.all_bytes += blob.size_bytes();
    }
    (void)folder_.write_progress(progress);
  }

  IncomingImage image_;
  const store::Store& store_;
  const LazyFolder folder_;
  LazyLog log_;
  const Tools tools_;
  std::vector<lazy::BlobPieces> blobs_;
  std::vector<std::size_t> layers_;        ///< of each blob: which layer it is
  std::vector<bool> may_hold_;             ///< of each blob: it is released as it is read
  std::vector<std::uint64_t> most_bytes_;  ///< of each blob: what it may unpack to
  std::vector<lazy::Contents::Layer> content_layers_;  ///< the first blob also for those there
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::size_t> whole_;
  std::set<Digest> being_finished_;
  std::set<std::size_t> finished_;
  bool is_whole_ = false;              ///< the merged tree is there, and the link leads to it
  std::atomic<bool> is_over_ = false;  ///< nobody uses the mount any more
};

/// An ordinary user is another one in the namespace, and so is the owner of the store.
Result<void> serve(const IncomingImage& image, const LazyFolder& folder, const Tools& tools,
                   run::Handover& handover) {
  UserNamespaceRequest request;
  request.ids = UserNamespaceRequest::Ids::OneIsEnough;
  if (const auto ids = TRY(folder.read_record()).ids) {
    request.image_uid = ids->uid;
    request.image_gid = ids->gid;
  }
  const NamespaceInfo space = TRY(enter_user_namespace(request));
  Tools with_owner = tools;
  if (space.entered) with_owner.owner = {space.owner_uid, space.owner_gid};
  const store::Store store = TRY(store::Store::open(tools.store_folder, with_owner.owner));
  return LazyServer(image, store, with_owner).run(handover);
}

}  // namespace

Result<void> start_lazy_server(const IncomingImage& image, const store::Store& store,
                               const Tools& tools) {
  const LazyFolder folder(store, image.config.diff_ids);
  if (folder.is_served()) return wait_until_served(folder, tools.cancel);
  run::Handover handover = TRY(run::Handover::create());
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot start a process that serves the image");
  if (pid == 0) {
    handover.become_stranger();
    const Result<void> served = serve(image, folder, tools, handover);
    if (!served.ok()) handover.say_error(served.error());
    ::_exit(0);
  }
  TRY_WHILE(fmt::format("starting to serve `{}`", image.shown()), handover.wait(pid));
  return {};
}

}  // namespace slipway::plan
