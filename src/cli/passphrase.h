/// The passphrase of a key: from the environment, else from whoever sits at the terminal.
#pragma once

#include <string>

#include "base/error.h"

namespace slipway::cli {

/// $SLIPWAY_KEY_PASSWORD, else $COSIGN_PASSWORD; else asked on /dev/tty, without an echo. Where
/// there is no terminal either, the empty one, which cosign's keys may have.
Result<std::string> find_passphrase(const std::string& shown);

struct NewPassphrase {
  std::string text;
  bool is_asked_for = true;  ///< no: neither a variable nor a terminal was there
};
/// For a key that is made: asked for twice. InvalidInput where the two differ.
Result<NewPassphrase> choose_passphrase(const std::string& shown);

}  // namespace slipway::cli
