#include "store/garbage.h"

#include <fcntl.h>

#include <algorithm>

#include "store/files.h"
#include "store/garbage_choice.h"
#include "store/store_lock.h"

namespace slipway::store {

Tally& Tally::operator+=(const Tally& other) {
  count += other.count;
  apparent_bytes += other.apparent_bytes;
  disk_bytes += other.disk_bytes;
  return *this;
}

Tally Swept::total() const {
  Tally sum;
  for (const Tally* part : {&blobs, &layers, &recipes, &known, &temporary}) sum += *part;
  return sum;
}

/// One collection, under the exclusive lock.
class Collector {
 public:
  Collector(const Store& store, const GarbageOptions& options, const CancelToken& cancel)
      : store_(store), options_(options), cancel_(cancel), measure_(cancel) {}

  Result<Swept> collect(const FindReachable& find_reachable);

 private:
  Result<void> read_images();
  Result<void> sweep_refs();
  Result<void> sweep_referrers();
  Result<void> sweep_temporary();
  Result<void> sweep_layers();
  Result<void> sweep_states();
  Result<void> sweep_blobs();
  Result<void> sweep_facts(const std::string& folder, const std::set<Digest>& keep, Tally& tally);
  Result<void> sweep_known();
  Result<void> sweep_file(const std::string& path, Tally& tally);
  bool removes() const { return options_.effect == Effect::Remove; }
  Result<std::vector<std::string>> names_in(const std::string& folder) const;

  const Store& store_;
  const GarbageOptions options_;
  const CancelToken& cancel_;
  Measure measure_;
  Reachable reachable_;
  std::set<Digest> roots_;
  std::vector<StoredImage> dead_images_;
  Swept swept_;
};

Result<std::vector<std::string>> Collector::names_in(const std::string& folder) const {
  TRY(cancel_.check());
  auto names = list_folder(store_.inside(folder));
  if (!names.ok() && names.error().kind == ErrorKind::NotFound) return std::vector<std::string>();
  return names;
}

Result<void> Collector::read_images() {
  for (StoredImage& image : TRY(store_.list_images())) {
    const auto& forget = options_.forget;
    if (options_.keep == Keep::Runs || std::ranges::find(forget, image.name) != forget.end()) {
      dead_images_.push_back(std::move(image));
    } else {
      roots_.insert(image.manifest);
    }
  }
  swept_.images = dead_images_.size();
  return {};
}

Result<void> Collector::sweep_refs() {
  if (!removes()) return {};
  for (const StoredImage& image : dead_images_) TRY(store_.remove_image(image.name));
  return {};
}

Result<void> Collector::sweep_referrers() {
  for (const std::string& name : TRY(names_in("referrers"))) {
    const Result<Digest> subject = parse_digest(name);
    if (!subject.ok() || reachable_.blobs.contains(*subject)) continue;
    if (removes()) TRY(remove_tree(store_.inside("referrers/" + name)));
  }
  return {};
}

Result<void> Collector::sweep_file(const std::string& path, Tally& tally) {
  tally += TRY(measure_.of(path));
  if (removes()) TRY(remove_tree(path, cancel_));
  return {};
}

Result<void> Collector::sweep_temporary() {
  for (const std::string& name : TRY(names_in("tmp"))) {
    TRY(cancel_.check());
    TRY(sweep_file(store_.inside("tmp/" + name), swept_.temporary));
  }
  return {};
}

Result<void> Collector::sweep_layers() {
  std::vector<std::string> moved;
  for (const std::string& name : TRY(names_in("layers"))) {
    TRY(cancel_.check());
    const Result<Digest> diff_id = parse_digest(name);
    if (!diff_id.ok()) continue;  // not ours
    // A layer that a power cut may have spoilt serves nobody, reachable or not.
    if (reachable_.layers.contains(*diff_id) && store_.has_layer(*diff_id)) continue;
    swept_.layers += TRY(measure_.of(store_.layer_path(*diff_id)));
    if (!removes()) continue;
    moved.push_back(store_.inside("tmp/gone." + name));  // free: tmp/ has just been emptied
    TRY(rename_path(store_.layer_path(*diff_id), moved.back()));
  }
  if (!removes()) return {};
  TRY(sweep_states());
  if (moved.empty()) return {};
  // The trees must not shrink on the disk before their names are gone there.
  TRY(sync_folder(store_.inside("layers")));
  TRY(sync_folder(store_.inside("layer-states")));
  for (const std::string& path : moved) {
    TRY(remove_tree(path, cancel_));
  }
  return {};
}

Result<void> Collector::sweep_states() {
  for (const std::string& name : TRY(names_in("layer-states"))) {
    if (!path_exists(store_.inside("layers/" + name))) {
      TRY(remove_file(store_.inside("layer-states/" + name)));
    }
  }
  return {};
}

Result<void> Collector::sweep_blobs() {
  for (const std::string& first : TRY(names_in("blobs/sha256"))) {
    for (const std::string& rest : TRY(names_in("blobs/sha256/" + first))) {
      TRY(cancel_.check());
      const Result<Digest> digest = parse_digest(first + rest);
      if (!digest.ok() || reachable_.blobs.contains(*digest)) continue;
      TRY(sweep_file(store_.blob_path(*digest), swept_.blobs));
    }
  }
  return {};
}

Result<void> Collector::sweep_facts(const std::string& folder, const std::set<Digest>& keep,
                                    Tally& tally) {
  for (const std::string& name : TRY(names_in(folder))) {
    const Result<Digest> key = parse_digest(name);
    if (!key.ok() || keep.contains(*key)) continue;
    TRY(sweep_file(store_.inside(folder + "/" + name), tally));
  }
  return {};
}

Result<void> Collector::sweep_known() {
  for (const std::string& kind : TRY(names_in("known"))) {
    if (reachable_.known_kinds.contains(kind)) continue;
    TRY(sweep_facts("known/" + kind, reachable_.known, swept_.known));
  }
  return {};
}

Result<Swept> Collector::collect(const FindReachable& find_reachable) {
  TRY(read_images());
  const std::vector<Digest> roots(roots_.begin(), roots_.end());
  reachable_ = TRY_WHILE("looking for what is still needed", find_reachable(roots));
  reachable_.blobs.insert(roots.begin(), roots.end());
  // Refs before what they name: whatever ends this early, no ref is left without its blobs.
  TRY(sweep_refs());
  TRY(sweep_referrers());
  TRY(sweep_temporary());
  TRY(sweep_layers());
  TRY(sweep_blobs());
  TRY(sweep_facts("recipes", reachable_.recipes, swept_.recipes));
  TRY(sweep_known());
  return swept_;
}

namespace {

/// What can go, and what stays in any case; runs and locks are not counted.
Result<std::uint64_t> measure_store(const Store& store, const CancelToken& cancel) {
  Measure measure(cancel);
  std::uint64_t bytes = 0;
  for (const char* folder : {"blobs", "layers", "recipes", "known", "tmp"}) {
    bytes += TRY(measure.of(join_path(store.home(), folder))).disk_bytes;
  }
  return bytes;
}

/// Under the exclusive lock, so that no use of an image comes between the choice and its end.
Result<Swept> choose_and_collect(const Store& store, GarbageOptions options,
                                 const FindReachable& find_reachable, const CancelToken& cancel) {
  if (!options.unused_since && !options.keep_bytes) {
    return Collector(store, options, cancel).collect(find_reachable);
  }
  // What is reachable from no image is a run's.
  const std::set<Digest> held = TRY(find_reachable({})).blobs;
  const std::uint64_t total = options.keep_bytes ? TRY(measure_store(store, cancel)) : 0;
  const auto count = [&](const std::vector<ImageName>& names) -> Result<std::uint64_t> {
    GarbageOptions trial = options;
    trial.effect = Effect::Count;
    trial.forget.insert(trial.forget.end(), names.begin(), names.end());
    return TRY(Collector(store, trial, cancel).collect(find_reachable)).total().disk_bytes;
  };
  const std::vector<ImageName> chosen = TRY(choose_images(store, options, held, total, count));
  options.forget.insert(options.forget.end(), chosen.begin(), chosen.end());
  Swept swept = TRY(Collector(store, options, cancel).collect(find_reachable));
  swept.forgotten = chosen;
  if (options.keep_bytes) swept.left_bytes = total - std::min(total, swept.total().disk_bytes);
  return swept;
}

}  // namespace

Result<Swept> collect_garbage(const Store& store, const GarbageOptions& options,
                              const FindReachable& find_reachable, Reporter& reporter,
                              const CancelToken& cancel) {
  const std::string path = join_path(store.home(), "locks/store");
  const UniqueFd lock = TRY(open_file(path, O_RDWR));
  if (options.when_busy == WhenBusy::Wait) {
    TRY(wait_for_flock(lock.get(), LockMode::Exclusive, path, reporter, cancel));
  } else if (!TRY(try_flock(lock.get(), LockMode::Exclusive, path))) {
    return make_error(ErrorKind::Unavailable, "the store is in use by {}",
                      describe_holders(lock.get()))
        .hint("wait for it to end, then try again");
  }
  return TRY_WHILE("collecting garbage",
                   choose_and_collect(store, options, find_reachable, cancel));
}

}  // namespace slipway::store
