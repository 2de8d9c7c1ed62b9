/// An image that comes lazily, for those who want to use it.
#pragma once

#include <optional>

#include "plan/image_files.h"
#include "plan/incoming_image.h"
#include "plan/lazy_folder.h"
#include "plan/tools.h"

namespace slipway::plan {

/// Waits while another process is about to serve the image.
Result<void> wait_until_served(const LazyFolder& folder, const CancelToken& cancel);

/// Waits, and says so, while another process brings the image. Returns at once where none does, and
/// when that one ends without success.
Result<void> wait_for_lazy_server(const IncomingImage& image, const store::Store& store,
                                  const Tools& tools);

/// The tree of an image that comes lazily, and is not whole: served again where nobody serves it
/// any more (after a reboot). Nothing for other images. Fails with Unsupported where this process
/// is in no namespace that sees the mount.
Result<std::optional<LayerFolder>> find_lazy_tree(const StoredImage& image,
                                                  const store::Store& store, const Tools& tools);

}  // namespace slipway::plan
