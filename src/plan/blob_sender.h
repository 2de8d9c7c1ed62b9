/// Blobs of an image on their way to one repository.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/reporter.h"
#include "plan/registries.h"
#include "registry/registry.h"
#include "store/store.h"

namespace slipway::plan {

inline constexpr std::size_t kParallelUploads = 4;

class BlobSender {
 public:
  /// Borrows all of it.
  BlobSender(registry::Registry& registry, const ImagePlace& place, const store::Store& store,
             Reporter& reporter)
      : registry_(registry), place_(place), store_(store), reporter_(reporter) {}

  /// Sends a blob that the repository lacks, unless another one of that registry is known to have
  /// it. `write` may be called again after trouble on the way. For several threads. Fails as
  /// Registry::send_blob.
  Result<void> send(const oci::Descriptor& blob, registry::WriteBlob write,
                    const CancelToken& cancel);

  std::size_t mounted() const { return mounted_; }
  std::uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  registry::Registry& registry_;
  const ImagePlace& place_;
  const store::Store& store_;
  Reporter& reporter_;
  std::atomic<std::size_t> mounted_ = 0;
  std::atomic<std::uint64_t> sent_bytes_ = 0;
};

/// A registry that remembers, in the cache, how far each large upload came: the next push goes on
/// from there. Blocks. Fails as Registry::open.
Result<registry::Registry> open_for_push(const ImagePlace& place, const Tools& tools);

}  // namespace slipway::plan
