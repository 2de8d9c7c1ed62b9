/// From a failed search to a Conflict that stands on its own. Private to `solve`.
#pragma once

#include <string>

#include "solve/catalogue.h"
#include "solve/conflict.h"
#include "solve/search.h"

namespace slipway::solve {

Conflict make_conflict(const Catalogue& catalogue, const Search& search, const std::string& asker);

}  // namespace slipway::solve
