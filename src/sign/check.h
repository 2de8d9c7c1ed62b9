/// What a signature, of whatever format, says to somebody with a key.
#pragma once

#include <vector>

#include "sign/signature.h"

namespace slipway::sign {

/// One finding for each signature in it. The bytes may come from anybody.
std::vector<Finding> check_signature(const SignatureImage& signature, const PublicKey& key,
                                     const Digest& image);

}  // namespace slipway::sign
