#include <utility>

#include "oci/json_reader.h"
#include "oci/manifest.h"

namespace slipway::oci {

std::string Platform::text() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

std::string go_architecture(std::string_view machine) {
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"x86_64", "amd64"},
      {"aarch64", "arm64"},
      {"armv7l", "arm"},
      {"i686", "386"},
  };
  for (const auto& [ours, gos] : kNames) {
    if (ours == machine) return std::string(gos);
  }
  return std::string(machine);
}

std::string layout_text() { return R"({"imageLayoutVersion":"1.0.0"})"; }

Result<void> check_layout(std::string_view text) {
  const nlohmann::json document = TRY(parse_json(text, "oci-layout", 4096));
  const JsonNodeView version = JsonNodeView(document, "oci-layout").member("imageLayoutVersion");
  if (TRY(version.required_text()).starts_with("1.")) return {};
  return make_error(ErrorKind::Unsupported, "oci-layout: `imageLayoutVersion` is not 1");
}

}  // namespace slipway::oci
