/// The image of a registry that a lock has below everything: on its way into the store, and there.
///
/// It lies there as a pulled image does, but without a name: the images that are built on it keep
/// it. docs/decisions/0023-base-images.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oci/image_config.h"
#include "plan/build_image.h"
#include "plan/image_files.h"
#include "plan/incoming_image.h"
#include "plan/tools.h"
#include "spec/lock.h"
#include "spec/project.h"
#include "store/store.h"

namespace slipway::plan {

/// Labels, and annotations of the manifest, by image-spec 1.1 (annotations.md): of which image ours
/// is made.
inline constexpr const char* kBaseNameLabel = "org.opencontainers.image.base.name";
inline constexpr const char* kBaseDigestLabel = "org.opencontainers.image.base.digest";

struct BaseImage {
  std::string reference;  ///< for people
  IncomingImage image;    ///< its names are for messages: the store gives it none

  /// Verbatim, but Docker's media types, which become OCI's. Labelled `base layer 1 of 3`.
  std::vector<ImageLayer> layers() const;
  /// Of the unpacked layers, top first.
  std::vector<LayerFolder> folders(const store::Store& store) const;
};

/// Whether the layer is one of BaseImage::layers().
bool is_base_layer(const ImageLayer& layer);

/// What the registry has for `reference` as slipway.toml writes it, with all of its blobs in the
/// store; with `digest`, that manifest. To be called as the caller, before a user namespace is
/// entered. Fails as find_place and fetch_image.
Result<BaseImage> fetch_base_image(const std::string& reference,
                                   const std::optional<Digest>& digest, const Tools& tools);

/// Of the lock, where the store has manifest and configuration; nothing where it has not, or the
/// lock has no base image.
Result<std::optional<BaseImage>> find_base_image(const store::Store& store, const spec::Lock& lock);

/// Of the lock, fetched where the store lacks something of it. As fetch_base_image, which then says
/// what to do where the registry has it no more.
Result<BaseImage> bring_base_image(const store::Store& store, const spec::LockedBase& base,
                                   const Tools& tools);

/// Copies what `from` has of it, checking every digest. For a second store beside the first.
Result<void> copy_base_image(const store::Store& from, const store::Store& into,
                             const spec::Lock& lock);

/// make_config on the base's configuration, where the lock has one. NotFound where the store has
/// it no more.
Result<oci::ImageConfig> configure_image(const store::Store& store, const spec::Project& project,
                                         const spec::Lock& lock);

}  // namespace slipway::plan
