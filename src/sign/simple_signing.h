/// Simple signing: a small JSON that names an image's digest, and a signature over its bytes.
/// Specification: containers/image, docs/atomic-signature.md; sigstore/cosign,
/// specs/SIGNATURE_SPEC.md.
#pragma once

#include <string>
#include <string_view>

#include "sign/signature.h"

namespace slipway::sign {

/// A layer for make_simple_image. `repository` is `host/name`: what Podman's policies look at.
Result<Part> make_simple(std::string_view repository, const Digest& image, const PrivateKey& key);

/// Takes foreign bytes. `signature` is the base64 of the annotation.
Finding check_simple(std::string_view payload, std::string_view signature, const PublicKey& key,
                     const Digest& image);

}  // namespace slipway::sign
