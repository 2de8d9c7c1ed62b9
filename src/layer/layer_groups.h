/// Which packages share a layer: few enough layers for every engine, and a change of one package
/// moves few bytes of others. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace slipway::layer {

struct GroupInput {
  std::string name;  ///< normalised
  std::uint64_t size_bytes = 0;
};

struct GroupRules {
  std::uint64_t alone_bytes = 8 * 1024 * 1024;  ///< from this size on alone in a layer…
  std::size_t most_alone = 40;                  ///< …doubled until so many are
  std::size_t buckets = 24;                     ///< for the others, by a hash of the name
};

inline constexpr GroupRules kWheelGroups{8 * 1024 * 1024, 40, 24};
inline constexpr GroupRules kBytecodeGroups{2 * 1024 * 1024, 12, 12};

/// Indices into `packages`, group by group: first those alone, by name, then the buckets that are
/// not empty, each sorted by name. The bucket of a package depends on its name alone.
std::vector<std::vector<std::size_t>> plan_layers(std::span<const GroupInput> packages,
                                                  const GroupRules& rules = kWheelGroups);

}  // namespace slipway::layer
