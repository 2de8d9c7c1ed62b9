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

/// Packages of a size share layers: a class of sizes ends where the next begins, at four times as
/// much.
struct GroupRules {
  std::size_t most_layers = 0;                  ///< at least as many as there are buckets
  std::uint64_t first_class_bytes = 32 * 1024;  ///< the smallest packages have less
  std::vector<std::size_t> buckets;  ///< of each class, the smallest first; the last has no end
  /// Packages from this class on are alone for as long as that can be, and where the buckets leave
  /// no room for it, those of smaller ones are halved: a layer is made by one core, and a change of
  /// a small package moves little even where more share its layer.
  std::size_t large_class = 0;
};

/// Bytecode of wheels from this size on is in layers of its own: the wheel's can then be spliced
/// again from the wheel alone, and need not be kept. A border of classes.
inline constexpr std::uint64_t kLargeWheelBytes = 8 * 1024 * 1024;

/// Docker stacks at most 125 layers, and who builds on an image needs some of them: 96 for wheels
/// and for the bytecode of large ones. How many buckets a class has was found with the 132 wheels
/// of examples/pytorch-cuda: another one more would save less there than in the class that got it.
const GroupRules& wheel_groups();
const GroupRules& large_bytecode_groups();

/// Indices into `packages`, group by group: first those alone, by name, then the buckets that are
/// not empty, each sorted by name. Alone are packages from the smallest size on, at a border of
/// classes, with which `most_layers` are enough; below it the bucket of a package depends on its
/// size's class, its name and the number of buckets alone.
std::vector<std::vector<std::size_t>> plan_layers(std::span<const GroupInput> packages,
                                                  const GroupRules& rules = wheel_groups());

}  // namespace slipway::layer
