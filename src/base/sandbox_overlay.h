/// Mounting an overlay (overlayfs) of many folders, on kernels old and new.
///
/// Kernels from 6.7 on take lower folders one by one (fsconfig(2) `lowerdir+`). Older ones take all
/// options in one page of 4096 bytes, which a hundred layers named by digest overflow: there a
/// folder of links `0`, `1`, … gives each a name of two bytes, relative to the current folder.
///
/// In a user namespace overlayfs keeps its marks in `user.*` attributes (option `userxattr`), since
/// `trusted.*` is for the machine's root.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/sandbox_steps.h"
#include "base/unique_fd.h"

namespace slipway {

struct OverlayRequest {
  std::vector<std::string> lowers;  ///< top first
  std::string upper;                ///< empty: read-only
  std::string work;
  std::string links_folder;  ///< an empty folder of ours, for the short names
  enum class Names { Automatic, Short } names = Names::Automatic;
  /// ThrownAway: no fsync(2) inside waits for the disk, and `upper` cannot be mounted again
  /// (overlayfs option `volatile`).
  enum class Changes { Kept, ThrownAway } changes = Changes::Kept;
};

/// Keep `mount` until the process with the steps has started.
struct PreparedOverlay {
  UniqueFd mount;
  std::vector<ChildStep> steps;
};

/// The steps that mount it at `target` (absolute). One lower folder without upper is bound
/// read-only, since overlayfs refuses it. Fails with NotFound for a folder that is not there.
Result<PreparedOverlay> prepare_overlay(const OverlayRequest& request, const std::string& target);

/// Overlayfs's mark for what a higher layer has removed: the device `c 0 0`. Pure.
bool is_whiteout(const struct stat& status);

/// Whether the open folder hides what lower layers have of it, by overlayfs's attribute.
bool is_opaque(int folder_fd);

/// The options for mount(2) with the lower folders named 0, 1, … in the current folder, and `u`
/// and `w` beside them. Pure.
std::string short_overlay_options(std::size_t lowers, bool has_upper, bool user_attributes);

}  // namespace slipway
