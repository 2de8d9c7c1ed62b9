/// Images that come from elsewhere, from an archive or a registry, on their way into the store.
///
/// First their blobs are brought in, as whoever calls; then the layers are unpacked, as root or in
/// a user namespace made for the image's user (base/user_namespace.h), which is known by then. The
/// lease holds off garbage collection in between. Nothing is named in the store before it is whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oci/image_config.h"
#include "oci/manifest.h"
#include "plan/id_records.h"
#include "plan/record_files.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

/// Manifest, configuration and layers are blobs of the store.
struct IncomingImage {
  std::vector<store::ImageName> names;
  Digest digest;  ///< of the manifest
  oci::Manifest manifest;
  oci::ImageConfig config;

  std::string shown() const { return names.empty() ? digest.text() : names.front().text(); }
};

struct Incoming {
  store::Lease lease;
  std::vector<IncomingImage> images;
  std::size_t fetched_layers = 0;  ///< over the network
  std::uint64_t fetched_bytes = 0;
  std::size_t signatures = 0;  ///< that came along, unchecked
};

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

/// Unpacks one layer whose blob the store has, unless its tree is there. As unpack_incoming.
Result<void> unpack_incoming_layer(const store::Store& store, const IncomingImage& image,
                                   std::size_t layer, const Tools& tools);

/// Unpacks the layers of one image that the store does not have, several at a time. As
/// unpack_incoming, which says the rest.
Result<void> unpack_layers(const IncomingImage& image, const store::Store& store,
                           const Tools& tools);

/// Unpacks the layers that the store does not have, several at a time, and names the images. Needs
/// uid 0, the machine's or a user namespace's. Fails with Corrupt where a layer's tar is not the
/// one that the configuration names, and as layer/unpack_layer.h has it.
Result<void> unpack_incoming(const Incoming& incoming, const Tools& tools);

}  // namespace slipway::plan
