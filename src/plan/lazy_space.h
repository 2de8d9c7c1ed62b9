/// The user namespace in which an ordinary user's command uses an image.
///
/// For most images any will do that has the right ids (base/user_namespace.h). One that comes
/// lazily is shown by a process of the same user, in a namespace that this one has entered, and the
/// kernel shows a FUSE mount to nobody outside of it: who wants to run the image joins that
/// namespace (base/joined_namespace.h, docs/decisions/0024-lazy-start.md).
#pragma once

#include <optional>

#include "base/digest.h"
#include "plan/id_records.h"
#include "plan/stored_images.h"
#include "plan/tools.h"

namespace slipway::plan {

struct ImageSpace {
  ImageIds ids;  ///< of the image's user
  /// The image's ChainID where it is not whole: then it is that server's namespace and no other.
  std::optional<Digest> lazy;
  bool operator==(const ImageSpace&) const = default;
};

/// Fails as find_image_ids.
Result<ImageSpace> find_image_space(const StoredImage& image, const Tools& tools);

/// Makes this process root in the namespace of the image's server, with the image's tree mounted at
/// its place, and returns whom the store belongs to there. Starts the server again where it is
/// gone; nothing happens where the image is whole by now. For an ordinary user's process with one
/// thread. Fails with Unsupported where the server cannot be reached from here (another container),
/// and as start_lazy_server does.
Result<std::optional<store::Owner>> join_lazy_server(const StoredImage& image, const Tools& tools);

/// As find_image_ids, asked by a process of its own that joins the server, for one that has other
/// work to do and does not see the image's files.
Result<ImageIds> find_ids_through_server(const StoredImage& image, const std::string& user,
                                         const Tools& tools);

}  // namespace slipway::plan
