/// Content-addressed store: what Slipway builds or keeps lands here once, under its digest.
///
///   blobs/sha256/<2 hex>/<62 hex>   complete and read-only
///   layers/<diff_id hex>/           an unpacked layer: what overlay mounts
///   layers/<ChainID hex>/           the layers of an image, merged (oci::chain_id)
///   layer-states/<diff_id hex>      whether that tree is known to be on the disk
///   recipes/<blob hex>              how a blob that is not kept can be made again
///   known/<kind>/<key hex>          derived facts; losing one costs time and nothing else
///   refs/images/<name>/:<tag>       one manifest digest per file: what garbage collection keeps
///   tmp/                            being written, or being removed
///   locks/                          empty files for flock(2)
///
/// A blob appears only by rename(2), after a digest check and fsync(2), so readers take no lock and
/// a crash leaves nothing half-written. There is no database: the folders are the truth. Whoever
/// writes, or relies on what he found, holds a Lease (lease.h) meanwhile. docs/formats/store.md
/// says the rest. All calls are safe from any thread, block on the disk, and race well with other
/// processes. A full disk, like any failure, leaves the store as good as before.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/io.h"
#include "base/reporter.h"
#include "base/utc_time.h"
#include "store/image_name.h"
#include "store/lease.h"

namespace slipway::store {

/// To whom everything outside layers/* is given where it differs from the effective ids: inside a
/// user namespace the caller is not the root that we are.
struct Owner {
  uid_t uid;
  gid_t gid;
  static Owner current();
};

struct StoredImage {
  ImageName name;
  Digest manifest;
  bool operator==(const StoredImage&) const = default;
};

/// A blob on its way in. Without `commit` nothing stays.
class BlobWriter final : public Sink {
 public:
  BlobWriter(BlobWriter&& other) noexcept;
  BlobWriter& operator=(BlobWriter&&) = delete;
  ~BlobWriter() override;

  Result<void> write(Bytes bytes) override;
  std::uint64_t size_bytes() const { return hash_.size_bytes(); }
  /// Syncs, and the blob is there. Once only, and after no failed write.
  Result<Digest> commit();
  /// The same, but fails with Corrupt, keeping nothing, where the digest is another one.
  Result<void> commit(const Digest& expected);

 private:
  friend class Store;
  BlobWriter(const class Store& store, UniqueFd fd, std::string path)
      : store_(&store), fd_(std::move(fd)), path_(std::move(path)) {}
  Result<void> place(const Digest& digest);
  const Store* store_;
  UniqueFd fd_;
  std::string path_;
  HashingSink hash_;
};

class Store {
 public:
  /// Makes the folders that are missing. Fails with Unsupported on a store of another layout.
  static Result<Store> open(std::string home, Owner owner = Owner::current());

  const std::string& home() const { return home_; }
  Owner owner() const { return owner_; }

  // Blobs.
  std::string blob_path(const Digest& digest) const;
  bool has_blob(const Digest& digest) const;
  /// Copies `body` unless `expected` is already there (then `body` is not read). Threads and
  /// processes may race on one digest: all succeed, one copy stays. Fails with Corrupt if the bytes
  /// hash to something else (nothing is kept).
  Result<void> put_blob(Source& body, const Digest& expected) const;
  Result<Digest> put_blob_bytes(Bytes bytes) const;
  /// Takes a file whose bytes are known to hash to `digest` (a download that was checked): renamed
  /// into place, or copied from another file system. The file is gone afterwards.
  Result<void> adopt_blob(const std::string& file, const Digest& digest) const;
  /// For a blob whose digest is known only at its end. Must not outlive the store.
  Result<BlobWriter> start_blob() const;
  /// A small blob (manifest, config) with its digest checked again. NotFound; Corrupt where it is
  /// larger than `most_bytes` or not what its name says.
  Result<std::string> read_blob(const Digest& digest, std::uint64_t most_bytes = 16 << 20) const;

  // Unpacked layers.
  std::string layer_path(const Digest& diff_id) const;
  /// Complete, and as good as on the day it was adopted: see `adopt_layer`.
  bool has_layer(const Digest& diff_id) const;
  /// An empty folder on the same file system, to be filled and adopted.
  Result<TemporaryFolder> make_layer_folder() const;
  /// Renames the folder into place (mode 0755); where a twin was first, that one stays. Does not
  /// wait for the disk: until `settle_layers`, the layer counts only until the next boot, so a
  /// killed process loses nothing and a power cut leaves no layer that looks complete and is not.
  Result<void> adopt_layer(TemporaryFolder folder, const Digest& diff_id) const;
  /// The same in one: `fill` fills the folder that is adopted. One process at a time; whoever comes
  /// meanwhile waits, and finds it made.
  using FillFolder = std::function<Result<void>(const std::string& folder)>;
  Result<void> make_layer_once(const Digest& diff_id, const FillFolder& fill, Reporter& reporter,
                               const CancelToken& cancel) const;
  /// Writes to the disk what was adopted since (syncfs), so that it outlives a reboot. To be called
  /// where the user no longer waits, at the end of a build. Returns how many layers it settled.
  Result<std::size_t> settle_layers() const;

  // Facts. Each file carries its own checksum: one that a crash spoilt counts as absent. `kind` is
  // a word of [a-z0-9-].
  Result<std::optional<std::string>> find_known(std::string_view kind, const Digest& key) const;
  Result<void> put_known(std::string_view kind, const Digest& key, std::string_view text) const;
  Result<std::optional<std::string>> find_recipe(const Digest& blob) const;
  Result<void> put_recipe(const Digest& blob, std::string_view text) const;

  // Images.
  Result<void> set_image(const ImageName& name, const Digest& manifest) const;
  Result<std::optional<Digest>> find_image(const ImageName& name) const;
  Result<std::vector<StoredImage>> list_images() const;  ///< sorted by name
  /// Fails with NotFound, and suggests the nearest names.
  Result<void> remove_image(const ImageName& name) const;
  /// The image was used now: the time of its ref. `set_image` is a use; so is a run. One system
  /// call.
  void note_use(const ImageName& name) const;
  Result<UtcTime> last_use(const ImageName& name) const;

  // Referrers: manifests about an image, like signatures. They stay as long as it does.
  /// `subject` is the image's manifest; `manifest` and what it needs are blobs of the store.
  Result<void> add_referrer(const Digest& subject, const Digest& manifest) const;
  Result<std::vector<Digest>> list_referrers(const Digest& subject) const;  ///< sorted

  // Locks: see lease.h.
  /// Waits while garbage is collected, and says so. The first holder sweeps tmp/ of what crashed
  /// processes left there.
  Result<Lease> lease(Reporter& reporter, const CancelToken& cancel) const;

  /// Whether `find_known` and `put_known` take this word.
  static bool is_word(std::string_view text);

 private:
  friend class BlobWriter;
  friend class Collector;
  Store(std::string home, Owner owner, std::string boot_id)
      : home_(std::move(home)), owner_(owner), boot_id_(std::move(boot_id)) {}

  std::string inside(std::string_view path) const { return join_path(home_, path); }
  std::string state_path(const Digest& diff_id) const;

  std::string home_;
  Owner owner_;
  std::string boot_id_;
};

}  // namespace slipway::store
