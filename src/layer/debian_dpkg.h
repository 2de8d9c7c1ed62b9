/// An image's own dpkg, at work in the sandbox.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/sandbox.h"
#include "layer/debian_layer.h"

namespace slipway::layer {

/// What forbids invoke-rc.d to start services while an image is made (deb-policy 9.3.3.2: 101).
inline constexpr std::string_view kNoServices = "#!/bin/sh\nexit 101\n";
inline constexpr std::string_view kPolicyPath = "usr/sbin/policy-rc.d";

/// What a container has no use for stays out, by dpkg's own means (dpkg.cfg(5)). Copyright files
/// stay: licences ask for them.
inline constexpr std::array<std::string_view, 9> kLeftOut{
    "path-exclude=/usr/share/doc/*",     "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/groff/*",   "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*", "path-exclude=/usr/share/linda/*",
    "path-exclude=/usr/share/locale/*",  "path-include=/usr/share/locale/locale.alias",
    "path-exclude=/usr/share/man/*"};

/// What maintainer scripts see: nothing of the host, fixed seeds, the layer's time as the time that
/// reproducible tools write down (SOURCE_DATE_EPOCH, reproducible-builds.org).
SandboxRequest debian_room(const std::string& tree_folder);

/// Files of packages in the order in which they are to be installed: `base_count` essential ones
/// and what they need first. Fails with Corrupt for a file that is no package.
struct DebOrder {
  std::vector<std::string> paths;
  std::size_t base_count = 0;
};
Result<DebOrder> order_debs(std::span<const DebInput> debs);

/// Runs dpkg in `room` on these files; nothing where there are none, but for `--pending`. Fails
/// with Io, with the end of what dpkg said.
Result<void> run_dpkg(SandboxRequest room, const std::vector<std::string>& options,
                      std::span<const std::string> paths, const CancelToken& cancel);

}  // namespace slipway::layer
