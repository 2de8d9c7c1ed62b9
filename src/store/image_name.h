/// Names of images, as people write them: `pytorch-cuda:2.6`, `team/x`, `host:5000/team/x:tag`.
///
/// Grammar: OCI distribution-spec 1.1, "Pulling manifests" (<name>, at most 255 characters with the
/// host, and <reference> as a tag). A first component that holds `.` or `:` or is `localhost` is a
/// registry's host, as every container tool reads it. Pure.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/error.h"

namespace slipway::store {

struct ImageName {
  std::string registry;  ///< `host` or `host:port`; empty: an image of this machine
  std::string name;      ///< `team/x`
  std::string tag = "latest";

  /// `host:5000/team/x:tag`, always with the tag.
  std::string text() const;
  auto operator<=>(const ImageName&) const = default;
};

/// The tag is `latest` where none is written. Fails with InvalidInput and says what is wrong.
Result<ImageName> parse_image_name(std::string_view text);

/// A name, or `name@sha256:…`, where the digest decides and the tag is only a remark.
struct ImageReference {
  ImageName name;
  std::optional<Digest> digest;
  bool operator==(const ImageReference&) const = default;
};
Result<ImageReference> parse_image_reference(std::string_view text);

}  // namespace slipway::store
