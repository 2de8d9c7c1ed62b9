/// A .deb file: an ar archive of `debian-binary`, `control.tar.*` and `data.tar.*` (deb(5)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::layer {

/// Unpacks data.tar.* of the .deb at `deb_path` into `root`, owners and modes included. Links on
/// the way are followed as if `root` were `/` (a merged /usr makes /bin a link), so nothing can
/// land outside. Files and links that are there are replaced. Blocks. Fails with Corrupt for a file
/// that is no .deb, is cut short, or holds `..` or a device.
Result<void> unpack_deb(const std::string& deb_path, const std::string& root);

/// The text of DEBIAN/control. Fails with Corrupt.
Result<std::string> read_deb_control(const std::string& deb_path);

/// What the order of installation depends on.
struct DebControl {
  std::string package;
  bool is_essential = false;
  std::vector<std::vector<std::string>>
      depends;  ///< Pre-Depends, then Depends: names that are alternatives
  std::vector<std::string> provides;
  bool operator==(const DebControl&) const = default;
};

/// Fails with Corrupt for a text without a package name. Pure.
Result<DebControl> parse_deb_control(std::string_view text);

/// Indices into `controls` so that what a package depends on comes before it, as far as circles let
/// it, otherwise in the given order; first those that the essential packages need, of which there
/// are `base_count`. Pure.
struct InstallOrder {
  std::vector<std::size_t> order;
  std::size_t base_count = 0;
};
InstallOrder plan_install_order(const std::vector<DebControl>& controls);

}  // namespace slipway::layer
