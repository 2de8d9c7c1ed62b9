/// The images in the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oci/image_config.h"
#include "oci/manifest.h"
#include "plan/build_image.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

struct StoredImage {
  std::string reference;
  Digest digest;  ///< of the manifest
  oci::Manifest manifest;
  oci::ImageConfig config;

  std::uint64_t size_bytes() const;        ///< of the compressed layers
  std::vector<ImageLayer> layers() const;  ///< packages as the manifest's annotations tell them
};

/// The digest of an eStargz layer's table of contents; nothing where there is none, or it makes no
/// sense. Pure.
std::optional<Digest> find_toc(const oci::Annotations& annotations);
/// "torch 2.6.0", …: of a layer, as the manifest's annotation tells them. Pure.
std::vector<std::string> list_packages(const oci::Annotations& annotations);

/// What the annotations of eStargz say. Foreign images may have some that make no sense: they count
/// as absent. Pure.
void read_toc(const oci::Annotations& annotations, ImageLayer& layer);
/// The other way, where there is a table. Pure.
void annotate_toc(oci::Annotations& annotations, const std::optional<Digest>& toc,
                  std::uint64_t tar_bytes);

/// Sorted by reference. Images whose manifest cannot be read are left out with a warning.
Result<std::vector<StoredImage>> list_stored_images(const Tools& tools);

/// By `name`, `name:tag` or the manifest's digest (or its first 12 digits or more). A name without
/// a registry also finds the one image of a registry that ends in it. NotFound suggests names;
/// InvalidInput where two end so.
Result<StoredImage> find_stored_image(const std::string& reference, const Tools& tools);

/// The image of that manifest. Fails with NotFound or Corrupt.
Result<StoredImage> read_stored_image(const store::Store& store, const std::string& reference,
                                      const Digest& manifest);

/// That every layer is there as a folder. NotFound says what makes it again.
Result<void> check_unpacked(const StoredImage& image, const store::Store& store);

}  // namespace slipway::plan
