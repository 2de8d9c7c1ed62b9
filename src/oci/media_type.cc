#include "oci/media_type.h"

#include <algorithm>
#include <cstddef>

namespace slipway::oci {
namespace {

bool is_restricted_name(std::string_view text) {
  constexpr std::string_view kOthers = "!#$&-^_.+";
  const auto is_alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !text.empty() && text.size() <= 127 && is_alphanumeric(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alphanumeric(c) || kOthers.find(c) != std::string_view::npos;
         });
}

}  // namespace

bool is_manifest(std::string_view media_type) {
  return media_type == kMediaTypeManifest || media_type == kDockerManifest;
}

bool is_index(std::string_view media_type) {
  return media_type == kMediaTypeIndex || media_type == kDockerIndex;
}

LayerCompression layer_compression(std::string_view media_type) {
  struct Row {
    std::string_view media_type;
    LayerCompression compression;
  };
  // The non-distributable ones are deprecated, and still come with old base images.
  static constexpr Row kRows[] = {
      {kMediaTypeLayer, LayerCompression::None},
      {kMediaTypeLayerGzip, LayerCompression::Gzip},
      {kMediaTypeLayerZstd, LayerCompression::Zstd},
      {kDockerLayer, LayerCompression::Gzip},
      {"application/vnd.docker.image.rootfs.diff.tar", LayerCompression::None},
      {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LayerCompression::Gzip},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar", LayerCompression::None},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LayerCompression::Gzip},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LayerCompression::Zstd},
  };
  for (const Row& row : kRows) {
    if (row.media_type == media_type) return row.compression;
  }
  return LayerCompression::Unknown;
}

bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_restricted_name(text.substr(0, slash)) &&
         is_restricted_name(text.substr(slash + 1));
}

}  // namespace slipway::oci
