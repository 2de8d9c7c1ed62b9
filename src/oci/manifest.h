/// Descriptors, manifests and indexes of OCI image-spec 1.1 (descriptor.md, manifest.md,
/// image-index.md). Pure.
///
/// Parsing takes foreign bytes: it bounds size and depth, refuses repeated keys and wrong types,
/// and names the field (`layers[3].size`); unknown fields are skipped, as the spec asks. Docker's
/// schema 2 forms are taken too. Failures are Corrupt, or Unsupported for a digest that is not
/// sha256. Encoding is ours, byte for byte: keys in the order of these structs, no white space,
/// empty fields left out. The digest of what was parsed is the digest of its bytes, so keep those.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "oci/media_type.h"

namespace slipway::oci {

using Annotations = std::map<std::string, std::string>;

/// image-index.md, `platform`. Names are Go's: amd64, arm64.
struct Platform {
  std::string architecture, os, os_version, variant;
  std::vector<std::string> os_features;
  std::string text() const;  ///< linux/arm64/v8
  bool operator==(const Platform&) const = default;
};

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size_bytes = 0;
  std::vector<std::string> urls;
  Annotations annotations;
  std::optional<Platform> platform;
  std::string artifact_type;
  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  std::string media_type{kMediaTypeManifest};
  std::string artifact_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  std::optional<Descriptor> subject;
  Annotations annotations;
  bool operator==(const Manifest&) const = default;
};

struct Index {
  std::string media_type{kMediaTypeIndex};
  std::string artifact_type;
  std::vector<Descriptor> manifests;
  std::optional<Descriptor> subject;
  Annotations annotations;
  bool operator==(const Index&) const = default;
};

/// distribution-spec 1.1: a registry should take manifests of at least 4 MiB; larger ones are not
/// read.
inline constexpr std::size_t kMostManifestBytes = 4 << 20;

Result<Manifest> parse_manifest(std::string_view text);
std::string encode_manifest(const Manifest& manifest);
Result<Index> parse_index(std::string_view text);
std::string encode_index(const Index& index);

/// The descriptor of these very bytes.
Descriptor describe(std::string_view media_type, std::string_view bytes);

/// `amd64` for the machine name `x86_64`; the name itself where Go has no other.
std::string go_architecture(std::string_view machine);

/// image-layout.md: the file `oci-layout`.
std::string layout_text();
Result<void> check_layout(std::string_view text);

}  // namespace slipway::oci
