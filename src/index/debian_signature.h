/// Who signed an InRelease file.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::index {

/// Judges gpgv's status lines (GnuPG's doc/DETAILS): at least one good, valid signature by a key of
/// the keyring, made with SHA-2, and none that is bad. Signatures by keys that the keyring lacks
/// are passed over, as apt does: Debian signs with the next release's key as well. Fails with
/// Corrupt.
Result<void> check_gpgv_status(std::string_view status);

/// Checks a clear-signed text with gpgv and returns what was signed, and nothing around it. Blocks.
/// `scratch_folder` is for a short-lived file. Fails with Corrupt (signature), Unsupported (no
/// gpgv, no keyring; with the package to install).
Result<std::string> read_signed_text(std::string_view clear_signed, const std::string& keyring,
                                     const std::string& scratch_folder);

}  // namespace slipway::index
