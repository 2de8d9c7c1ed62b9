/// Which wheels share a layer.
#pragma once

#include <string>
#include <vector>

#include "layer/wheel_layer.h"
#include "plan/build_image.h"
#include "plan/tools.h"
#include "spec/lock.h"

namespace slipway::plan {

/// The last of a layer's labels where it has the bytecode of its wheels.
inline constexpr const char* kBytecodeLabel = "bytecode";
/// Before the label of a wheel whose bytecode is what a layer has.
inline constexpr std::string_view kBytecodeOf = "bytecode of ";

/// As the labels tell: it holds the bytecode of large wheels; it holds wheels with theirs.
bool is_bytecode(const ImageLayer& layer);
bool is_compiled(const ImageLayer& layer);

struct WheelGroup {
  std::vector<layer::WheelInput> wheels;  ///< sorted by name
  bool has_bytecode = false;              ///< of these wheels, in the same layer
  Digest key;                             ///< of what the layer depends on
  std::vector<std::string> labels() const;
};

/// From layer::kLargeWheelBytes on: its layer never has its bytecode.
bool is_large(const layer::WheelInput& wheel);

/// By their sizes and the hash of their names; those without bytecode first. Pure.
std::vector<WheelGroup> group_wheels(const spec::Lock& lock, Bytecode bytecode, const Tools& tools);

/// What bytecode depends on besides the source: the packages that bring the interpreter, or the
/// image that does.
Digest interpreter_digest(const spec::Lock& lock);

}  // namespace slipway::plan
