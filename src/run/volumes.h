/// Volumes: folders and files of the caller inside the container, with the owners put right.
///
/// Whoever writes to a volume as the image's user writes as the caller. Without root that is the
/// work of the user namespace's map. As root each volume is mounted with a map of its own
/// (mount_setattr(2), MOUNT_ATTR_IDMAP; Linux 5.12, and the file system must take part) in which
/// the two users have changed places; where that cannot be had, a warning says whose files result.
#pragma once

#include <string>
#include <string_view>

#include "base/reporter.h"
#include "run/container.h"
#include "run/prepared_mounts.h"

namespace slipway::run {

/// `staging_folder` is empty and ours. Fails with InvalidInput (targets), NotFound (sources), Io.
Result<PreparedMounts> prepare_volumes(const RunRequest& request, const std::string& staging_folder,
                                       Reporter& reporter);

/// The kernel's own trees are the container's already, in a shape that is safe; the store's bytes
/// must not change under the images that rely on them; nobody means to hand over `/`. `place` is
/// where the source lies, `source` itself or what its links lead to. Fails with InvalidInput.
Result<void> check_volume_source(const Volume& volume, std::string_view place,
                                 const std::string& store_folder);

/// Absolute, folded by name, and not in /proc, /sys or /dev: a path there could lead to the host's
/// files (CVE-2024-21626) or hide what masks them. Fails with InvalidInput. `what` is for the text.
Result<std::string> check_inside_path(std::string_view what, std::string_view path);

}  // namespace slipway::run
