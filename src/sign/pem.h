/// PEM (RFC 7468): the blocks of a key file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::sign {

struct PemBlock {
  std::string label;  ///< `PUBLIC KEY`
  std::string bytes;
  bool has_headers = false;  ///< `Proc-Type: 4,ENCRYPTED`: encryption of before PKCS #8
};

/// What stands between the blocks is skipped. Corrupt where a block does not end or is not base64.
Result<std::vector<PemBlock>> parse_pem(std::string_view text);
std::string encode_pem(std::string_view label, std::string_view bytes);

}  // namespace slipway::sign
