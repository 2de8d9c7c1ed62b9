/// What a specification must fulfil beyond having the right fields. Private to this module.
#pragma once

#include "cdi/spec.h"

namespace slipway::cdi {

Result<void> check_spec(const Spec& spec);

/// The vendor and the class of a kind: letters, digits and `_-.`, a letter first.
Result<void> check_kind(std::string_view kind);
Result<void> check_device_name(std::string_view name);

}  // namespace slipway::cdi
