/// What a build says of itself in its local version: PyTorch's own (`2.6.0+cu126`), flash-attn's
/// (`2.7.4+cu12torch2.6cxx11abifalse`), PyG's (`2.1.2+pt26cu124`). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway::plan {

/// libstdc++ has two: std::string is another type in each, and so are the names of functions.
enum class CxxAbi { Old, New };

struct BuildLabel {
  std::string cuda;   ///< `12.4`, or `12` where no more is said; empty: not said
  std::string torch;  ///< `2.6`; empty: not said
  std::optional<CxxAbi> abi;
  bool operator==(const BuildLabel&) const = default;
};

/// Of a normalised local version (PEP 440: lower case, without the `+`). What it does not know, it
/// leaves out.
BuildLabel read_build_label(std::string_view local);

}  // namespace slipway::plan
