/// Requirements as packages of the past wrote them: what PEP 440 does not allow but everybody knew
/// to read, `>=3.6.*`, `!=3.0*`, `>=3.6 <4`. Installers go on reading them, since nobody can change
/// a file that was uploaded. For metadata of packages only: what a user writes is read strictly.
/// Pure.
#pragma once

#include <string>
#include <string_view>

#include "version/requirement.h"

namespace slipway::version {

/// The specifiers that were meant, in their normal form; `text` itself where it is right already,
/// or cannot be understood.
std::string mend_specifiers(std::string_view text);

/// As parse_requirement, with the specifiers mended where need be. Fails with the error of that.
Result<Requirement> parse_old_requirement(std::string_view text);

}  // namespace slipway::version
