/// Runs ahead of the search, so that requests are in flight in parallel. Private to `solve`.
#pragma once

#include "base/cancel.h"
#include "solve/catalogue.h"

namespace slipway::solve {

/// Walks from the request along the versions that will probably be chosen, breadth first: hints for
/// all that is in the queue are given before its first answer is waited for. So a walk costs about
/// as many round trips as the graph is deep, and what the search then asks for is already known.
/// Decides nothing; ends early, without failing, where the source fails.
void scout(Catalogue& catalogue, const CancelToken& cancel);

}  // namespace slipway::solve
