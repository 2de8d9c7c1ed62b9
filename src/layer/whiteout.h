/// The marks by which a layer takes away what lies below it (image-spec 1.1, layer.md,
/// "Whiteouts"): `.wh.NAME` for one name beside it, `.wh..wh..opq` for all that its folder has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway::layer {

inline constexpr std::string_view kWhiteout = ".wh.";
inline constexpr std::string_view kOpaqueMark = ".wh..wh..opq";

struct Whiteout {
  enum class Kind { Name, Opaque, Ignored };  ///< Ignored: aufs's own, which no engine takes
  Kind kind = Kind::Name;
  std::string hidden;  ///< of Name; empty, `.` and `..` are for the caller to refuse
};

/// Of the last part of a path; nothing where that is no mark. Pure.
inline std::optional<Whiteout> read_whiteout(std::string_view name) {
  if (!name.starts_with(kWhiteout)) return std::nullopt;
  if (name == kOpaqueMark) return Whiteout{Whiteout::Kind::Opaque, {}};
  const std::string_view hidden = name.substr(kWhiteout.size());
  if (hidden.starts_with(kWhiteout)) return Whiteout{Whiteout::Kind::Ignored, {}};
  return Whiteout{Whiteout::Kind::Name, std::string(hidden)};
}

/// The mark that takes `name` away. Pure.
inline std::string whiteout_of(std::string_view name) {
  return std::string(kWhiteout).append(name);
}

}  // namespace slipway::layer
