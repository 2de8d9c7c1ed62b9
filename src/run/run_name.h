/// Names and ids of runs.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::run {

/// From the kernel.
Result<std::string> random_bytes(std::size_t count);
std::string hex_text(std::string_view bytes);

/// Two pleasant words, `quiet_heron`, chosen by the bytes; from the fifth try on with a number.
/// Pure.
std::string make_run_name(std::string_view random, int tries);

/// Docker's rule: a letter or a digit, then letters, digits, `_`, `.` and `-`; at least two, and no
/// more than 128. Fails with InvalidInput. Pure.
Result<void> check_run_name(std::string_view name);

}  // namespace slipway::run
