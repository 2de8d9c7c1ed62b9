/// Garbage collection: what no image and no run needs goes.
///
/// The store does not know what a manifest is: the caller says what is reachable from the manifests
/// that the refs name. Takes locks/store exclusively, so no build is under way meanwhile; runs go
/// on (the caller counts what their records name as reachable). Trees are renamed into tmp/ before
/// they are removed, so a killed collection never leaves a part of a layer behind; running it again
/// finishes the work.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/reporter.h"
#include "base/utc_time.h"
#include "store/store.h"

namespace slipway::store {

/// What stays. The manifests themselves need not be in `blobs`.
struct Reachable {
  std::set<Digest> blobs;
  std::set<Digest> layers;  ///< diff_ids
  std::set<Digest> recipes;
  std::set<Digest> known;             ///< keys of facts, of whatever kind
  std::set<std::string> known_kinds;  ///< kinds of which every fact stays
};

/// Told the manifests of all images that stay, each once, sorted; it adds those of runs, also to
/// `blobs`. Asked several times where images go by age or size. A failure ends the collection
/// before anything is removed.
using FindReachable = std::function<Result<Reachable>(std::span<const Digest> manifests)>;

enum class Keep { Images, Runs };     ///< `gc`, `gc --all`
enum class Effect { Remove, Count };  ///< Count is `--dry-run`
enum class WhenBusy { Wait, Fail };   ///< Fail is Unavailable, and names the processes

struct GarbageOptions {
  Keep keep = Keep::Images;
  Effect effect = Effect::Remove;
  WhenBusy when_busy = WhenBusy::Wait;
  std::vector<ImageName> forget;  ///< images that go first; those that are not there are no error

  // Images that go by themselves, the longest unused first; never those that a run holds.
  std::optional<UtcTime> unused_since;      ///< those not used since
  std::optional<std::uint64_t> keep_bytes;  ///< until the store takes at most so much of the disk
  std::vector<ImageName> keep_images;       ///< not these
};

struct Tally {
  std::size_t count = 0;
  std::uint64_t apparent_bytes = 0;  ///< what the files say
  std::uint64_t disk_bytes = 0;      ///< what they take (blocks), each inode once
  Tally& operator+=(const Tally& other);
  bool operator==(const Tally&) const = default;
};

struct Swept {
  Tally blobs, layers, recipes, known, temporary;
  std::size_t images = 0;                   ///< refs that go
  std::vector<ImageName> forgotten;         ///< of them, those for their age or the store's size
  std::optional<std::uint64_t> left_bytes;  ///< what the store takes then, where there is a budget
  Tally total() const;
};

/// Blocks. On Cancelled, what is already removed is gone and the rest is as before.
Result<Swept> collect_garbage(const Store& store, const GarbageOptions& options,
                              const FindReachable& find_reachable, Reporter& reporter,
                              const CancelToken& cancel);

}  // namespace slipway::store
