/// The image configuration of OCI image-spec 1.1 (config.md). Its digest is the image's ID. Pure;
/// reading and writing are as manifest.h says.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "oci/manifest.h"

namespace slipway::oci {

struct History {
  std::string created;  ///< RFC 3339
  std::string created_by, author, comment;
  bool empty_layer = false;
  bool operator==(const History&) const = default;
};

struct ImageConfig {
  std::string created;  ///< RFC 3339, `1980-01-01T00:00:00Z`
  std::string author;
  Platform platform;  ///< architecture and os are required
  std::string user;
  std::set<std::string> exposed_ports;  ///< `8888/tcp`
  std::vector<std::string> env;         ///< `NAME=value`
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::set<std::string> volumes;
  std::string working_folder;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::vector<Digest> diff_ids;  ///< bottom layer first
  std::vector<History> history;  ///< oldest first; may be empty
  bool operator==(const ImageConfig&) const = default;
};

inline constexpr std::size_t kMostConfigBytes = 8 << 20;

Result<ImageConfig> parse_image_config(std::string_view text);
std::string encode_image_config(const ImageConfig& config);

/// That the two belong together: as many layers as diff_ids. The history is nobody's proof: tools
/// that add a layer to an image without one tell of that alone. Fails with Corrupt.
Result<void> check_same_layers(const Manifest& manifest, const ImageConfig& config);

/// The ChainID of layers applied in this order, bottom first: of one alone its diff_id, of more the
/// SHA-256 of the ChainID below, a space and the diff_id (config.md, "Layer ChainID"). Pure;
/// `diff_ids` is not empty.
Digest chain_id(std::span<const Digest> diff_ids);

}  // namespace slipway::oci
