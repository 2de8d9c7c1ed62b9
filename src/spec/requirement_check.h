/// What the `version` module says of a text, told as the mistake of a key.
#pragma once

#include <optional>
#include <string_view>

#include "spec/names.h"

namespace slipway::spec {

/// A PEP 508 requirement of a named index: `name @ url` is not supported yet.
std::optional<Fault> check_requirement(std::string_view text);

/// A version specifier for the driver: `>=525`, `>=550.54,<580`.
std::optional<Fault> check_driver(std::string_view text);

}  // namespace slipway::spec
