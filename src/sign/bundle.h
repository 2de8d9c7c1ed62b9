/// Sigstore bundles that sign an image: protobuf-specs' `sigstore_bundle.proto`, version 0.3, as
/// JSON.
///
/// In it is a DSSE envelope (secure-systems-lab/dsse, protocol.md) around an in-toto statement
/// (in-toto/attestation, spec/v1) whose subject is the image's digest and whose predicate is empty.
#pragma once

#include <string>
#include <string_view>

#include "sign/signature.h"

namespace slipway::sign {

Result<std::string> make_bundle(const Digest& image, const PrivateKey& key);

/// Takes foreign bytes. Only a statement that says "a signature" and names the image is Good.
Finding check_bundle(std::string_view bundle, const PublicKey& key, const Digest& image);

}  // namespace slipway::sign
