/// The media types of OCI image-spec 1.1 (media-types.md) and their Docker schema 2 twins.
#pragma once

#include <string_view>

namespace slipway::oci {

inline constexpr std::string_view kMediaTypeManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kMediaTypeIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kMediaTypeConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kMediaTypeLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kMediaTypeLayerGzip =
    "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kMediaTypeLayerZstd =
    "application/vnd.oci.image.layer.v1.tar+zstd";

inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayer =
    "application/vnd.docker.image.rootfs.diff.tar.gzip";

bool is_manifest(std::string_view media_type);
bool is_index(std::string_view media_type);

enum class LayerCompression { None, Gzip, Zstd, Unknown };
LayerCompression layer_compression(std::string_view media_type);

/// `type/subtype` by RFC 6838, section 4.2, which the spec's schema asks for.
bool is_media_type(std::string_view text);

}  // namespace slipway::oci
