/// Images that come from elsewhere, from an archive or a registry, on their way into the store.
///
/// First their blobs are brought in, as whoever calls; then the layers are unpacked, as root or in
/// a user namespace made for the image's user (base/user_namespace.h), which is known by then. The
/// lease holds off garbage collection in between. Nothing is named in the store before it is whole.
///
/// A large layer that a registry has need not stay as a blob beside its tree: it lies in a folder
/// of arrivals until it is unpacked, and its recipe then says where it came from
/// (docs/decisions/0029).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "layer/kept_file.h"
#include "oci/image_config.h"
#include "oci/manifest.h"
#include "plan/id_records.h"
#include "plan/layer_recipe.h"
#include "plan/record_files.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

/// Layers of more bytes do not stay as blobs. Smaller ones do: they are little beside their trees,
/// and of them the next version of an image takes most of its own layers (pieced_layer.h).
inline constexpr std::uint64_t kMostKeptBlob = 96 << 20;

/// In the cache: what has come of blobs, `<hex>` once it is whole.
std::string arrivals_folder(const Tools& tools);
inline constexpr std::size_t kParallelDownloads = 4;

struct Arrivals {
  std::string folder;  ///< of files named by the hex of their digests
  BlobOrigin origin;
};

/// Manifest, configuration and layers are blobs of the store, or have arrived.
struct IncomingImage {
  std::vector<store::ImageName> names;
  Digest digest;  ///< of the manifest
  oci::Manifest manifest;
  oci::ImageConfig config;
  std::optional<Arrivals> arrivals{};

  std::string shown() const { return names.empty() ? digest.text() : names.front().text(); }
};

struct Incoming {
  store::Lease lease;
  std::vector<IncomingImage> images;
  std::size_t fetched_layers = 0;  ///< over the network
  std::uint64_t fetched_bytes = 0;
  std::size_t signatures = 0;  ///< that came along, unchecked
};

/// Whether the layer's blob, once it is there, becomes one of the store.
bool stays_as_blob(const oci::Descriptor& layer, const IncomingImage& image);

/// Reads manifest and configuration out of the store's blobs. Fails with Unsupported for what no
/// run here could use: another platform, layers of a media type unknown here.
Result<IncomingImage> make_incoming(const store::Store& store, std::vector<store::ImageName> names,
                                    const Digest& manifest);

/// Adds what one layer, which the store has as a blob or as a tree, says of users and groups.
Result<void> read_records_of_layer(const IncomingImage& image, std::size_t layer,
                                   const store::Store& store, const CancelToken& cancel,
                                   RecordFiles& files);

/// The numbers of the image's user, out of its layers' /etc/passwd where it is a name.
Result<ImageIds> find_incoming_ids(const IncomingImage& image, const Tools& tools);

/// What a lazy start has unpacked of a layer.
struct UnpackedBefore {
  layer::FindKept kept{};  ///< as unpack_layer has it
  Source* tar = nullptr;   ///< what the blob unpacks to, where that has not arrived as a whole
};

/// Unpacks one layer whose blob the store has or that has arrived, unless its tree is there. What
/// has arrived is gone afterwards, also where it cannot be unpacked; not where only `before.tar`
/// cannot. Otherwise as unpack_incoming.
Result<void> unpack_incoming_layer(const store::Store& store, const IncomingImage& image,
                                   std::size_t layer, const Tools& tools,
                                   const UnpackedBefore& before = {});

/// Unpacks the layers of one image that the store does not have, several at a time. As
/// unpack_incoming, which says the rest.
Result<void> unpack_layers(const IncomingImage& image, const store::Store& store,
                           const Tools& tools);

/// Unpacks the layers that the store does not have, several at a time, and names the images. Needs
/// uid 0, the machine's or a user namespace's. Fails with Corrupt where a layer's tar is not the
/// one that the configuration names, and as layer/unpack_layer.h has it.
Result<void> unpack_incoming(const Incoming& incoming, const Tools& tools);

}  // namespace slipway::plan
