/// The step from the caller to the root that makes images and containers.
#pragma once

#include "base/user_namespace.h"
#include "plan/lazy_space.h"
#include "plan/tools.h"

namespace slipway::cli {

/// For what needs no owner but one; Debian's scripts, which a build runs, need many.
inline constexpr auto kOneIsEnough = UserNamespaceRequest::Ids::OneIsEnough;

/// As root: nothing. As a user: enters the user namespace for an image of that user, and notes in
/// `tools` whom the store belongs to. No other thread may run.
Result<void> act_as_root(const UserNamespaceRequest& request, plan::Tools& tools);

/// The same where the files of an image are needed, which may still be coming.
Result<void> act_as_root_in(const plan::ImageSpace& space, const plan::StoredImage& image,
                            plan::Tools& tools);
Result<void> act_as_root_for(const plan::StoredImage& image, plan::Tools& tools);

}  // namespace slipway::cli
