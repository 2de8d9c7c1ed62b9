/// Signatures over images, in cosign's two formats, and what they are worth to somebody with a key.
///
///   bundle   a Sigstore bundle (bundle.h), an OCI 1.1 referrer of the image: cosign 3, and 2.6
///   with
///            `--new-bundle-format`
///   simple   a "simple signing" payload (simple_signing.h), a layer of the image that the tag
///            `sha256-<digest>.sig` names: cosign 2, Podman, Kubernetes' admission controllers
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "oci/manifest.h"
#include "sign/keys.h"

namespace slipway::sign {

enum class Format { Bundle, Simple };
std::string_view format_name(Format format);

enum class Verdict {
  Good,         ///< the key has signed this very digest as an image
  OtherDigest,  ///< the key has signed it, for another image
  OtherClaim,   ///< the key has signed it, and it is no signature: an attestation, an SBOM
  Changed,      ///< it names the key, and the key has not signed these bytes
  OtherKey,     ///< another key, or changed bytes: without that key nobody can tell
  Certificate,  ///< made with a certificate ("keyless"): those are not checked
  Unreadable,
};

struct Finding {
  Format format = Format::Bundle;
  Verdict verdict = Verdict::Unreadable;
  std::string why;                   ///< of what is not Good: half a sentence
  std::optional<Digest> signed_key;  ///< the fingerprint that it names; claimed, not proven
  std::optional<Digest> digest;      ///< what the key has signed; proven
};

/// A small blob and the descriptor of it.
struct Part {
  oci::Descriptor descriptor;
  std::string bytes;
};

/// A manifest and all that it needs: a signature, ready to be stored or sent.
struct SignatureImage {
  std::string manifest;
  Part config;
  std::vector<Part> layers;
};

inline constexpr std::string_view kBundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
inline constexpr std::string_view kSimpleType = "application/vnd.dev.cosign.simplesigning.v1+json";
inline constexpr std::string_view kSignatureKey = "dev.cosignproject.cosign/signature";

/// Which format the layers of a manifest are in; nothing where they are none of ours.
std::optional<Format> find_format(const oci::Manifest& manifest);

/// The tag of an image's simple signatures.
std::string simple_tag(const Digest& image);

/// The referrer that carries a bundle. The same bundle gives the same bytes.
SignatureImage make_bundle_image(const oci::Descriptor& image, const std::string& bundle);
/// The image under `simple_tag`: of layers that have kSignatureKey among their annotations.
SignatureImage make_simple_image(std::vector<Part> layers);

}  // namespace slipway::sign
