#include "gpu/compute_capability.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

namespace slipway::gpu {
namespace {

constexpr ComputeCapability kJetson[] = {{5, 3}, {6, 2}, {7, 2}, {8, 7}, {10, 1}, {11, 0}};

bool is_jetson(ComputeCapability capability) {
  return std::find(std::begin(kJetson), std::end(kJetson), capability) != std::end(kJetson);
}

Error not_one(std::string_view text) {
  return make_error(ErrorKind::InvalidInput, "`{}` is not a compute capability", text)
      .hint("write it as `9.0` or `sm_90`");
}

/// At most three digits, and nothing else.
std::optional<int> small_number(std::string_view text) {
  int value = 0;
  if (text.empty() || text.size() > 3) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::string ComputeCapability::text() const { return fmt::format("{}.{}", major, minor); }
std::string ComputeCapability::sm() const { return fmt::format("sm_{}{}", major, minor); }

std::string CodeTarget::text() const {
  std::string text = capability.sm();
  if (variant != CodeVariant::Portable) text += static_cast<char>(variant);
  return text;
}

Result<ComputeCapability> parse_compute_capability(std::string_view text) {
  std::string_view rest = text;
  for (const std::string_view prefix : {"compute_", "sm_", "sm"}) {
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    const auto number = small_number(rest);
    if (!number || *number < 10) return not_one(text);
    return ComputeCapability{*number / 10, *number % 10};
  }
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return not_one(text);
  const auto major = small_number(rest.substr(0, dot));
  const auto minor = small_number(rest.substr(dot + 1));
  if (!major || !minor || *major == 0 || *minor > 9) return not_one(text);
  return ComputeCapability{*major, *minor};
}

Result<CodeTarget> parse_code_target(std::string_view text) {
  CodeTarget target;
  std::string_view rest = text;
  if (rest.ends_with('a') || rest.ends_with('f')) {
    target.variant = static_cast<CodeVariant>(rest.back());
    rest.remove_suffix(1);
  }
  target.capability = TRY(parse_compute_capability(rest));
  return target;
}

bool runs_sass(const CodeTarget& code, ComputeCapability device) {
  if (code.capability == device) return true;
  if (code.variant == CodeVariant::Exact || is_jetson(code.capability) || is_jetson(device))
    return false;
  return code.capability.major == device.major && code.capability.minor <= device.minor;
}

bool runs_ptx(const CodeTarget& code, ComputeCapability device) {
  if (code.variant == CodeVariant::Portable) return code.capability <= device;
  return runs_sass(code, device);
}

}  // namespace slipway::gpu
