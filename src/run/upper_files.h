/// Files of our own in a run's writable layer, as if they had been written after the start.
///
/// Paths are relative to the container's root and lead through no link. Nothing of the image is
/// written to or followed: folders that the image has are made anew above it, with the mode and the
/// owner that it gave them.
#pragma once

#include <string>
#include <string_view>

#include "run/container.h"

namespace slipway::run {

/// Whether the topmost layer that has `path` has a folder there.
bool is_image_folder(const RunRequest& request, const std::string& path);

/// Fails with InvalidInput where the image has something else at a part of `path`, with Denied
/// where an earlier life of the container has, and with Io.
Result<void> make_folder_above(const RunRequest& request, const std::string& upper_folder,
                               const std::string& path);

/// Left out where the image has no such folder. Fails with Denied, Io.
Result<void> write_above(const RunRequest& request, const std::string& upper_folder,
                         const std::string& folder, const char* name, std::string_view text);

/// In place of whatever the image has there, except a folder. Fails with InvalidInput, Denied, Io.
Result<void> link_above(const RunRequest& request, const std::string& upper_folder,
                        const std::string& folder, const std::string& name,
                        const std::string& target);

}  // namespace slipway::run
