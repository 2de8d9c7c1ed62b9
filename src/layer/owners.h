#pragma once

namespace slipway::layer {

/// Whose the files of a tree become: as the layer says, or the caller's, who need not be root then.
enum class Owners { AsSaid, Caller };

}  // namespace slipway::layer
