/// What hooks of a specification would do, where Slipway can do it itself.
///
/// Slipway runs no hook: a program that a runtime starts as root, in a tree that an image made, has
/// been the way out of containers (CVE-2025-23266, CVE-2025-23267). Those that are known, NVIDIA's
/// and what others made of them, only prepare files; that can be done before anything of the image
/// runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cdi/spec.h"

namespace slipway::cdi {

struct HookLink {
  std::string path, target;  ///< `path` is absolute, inside
  bool operator==(const HookLink&) const = default;
};

/// What is to be there in place of hooks.
struct HookEffects {
  std::vector<HookLink> links;              ///< of `create-symlinks`
  std::vector<std::string> loader_folders;  ///< of `update-ldcache`: absolute, inside
  bool operator==(const HookEffects&) const = default;
};

/// Nothing: only running it could tell. Empty: what it does is so anyway (`chmod` in /dev,
/// `disable-device-node-modification`: no container can make nodes). Pure.
std::optional<HookEffects> find_effects(const Hook& hook);

/// `createContainer` of `/usr/bin/nvidia-cdi-hook enable-cuda-compat`.
std::string describe_hook(const Hook& hook);

}  // namespace slipway::cdi
