/// The process that serves an image which is not whole yet, and makes it whole.
#pragma once

#include "plan/incoming_image.h"
#include "plan/tools.h"

namespace slipway::plan {

/// Returns once the image's tree can be mounted, served by a process of its own. That one brings
/// the rest of the layers, which are checked and unpacked as `pull` does it, and ends when the
/// image is whole and nobody uses its mount any more. Where it is served already there is nothing
/// to do. By a process with one thread. An ordinary user's server enters a user namespace, where
/// the mount is seen by those who join it alone (lazy_space.h).
Result<void> start_lazy_server(const IncomingImage& image, const store::Store& store,
                               const Tools& tools);

}  // namespace slipway::plan
