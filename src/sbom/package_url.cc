#include "sbom/package_url.h"

#include <fmt/format.h>

namespace slipway::sbom {
namespace {

/// Everything but unreserved characters (RFC 3986, 2.3) and the colon, which the specification
/// leaves as it is.
std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
                          c == ':';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

std::string package_url(const PackageUrl& url) {
  std::string text = "pkg:" + url.type + "/";
  if (!url.name_space.empty()) text += encoded(url.name_space) + "/";
  text += encoded(url.name);
  if (!url.version.empty()) text += "@" + encoded(url.version);
  char separator = '?';
  for (const auto& [key, value] : url.qualifiers) {
    if (value.empty()) continue;
    text += fmt::format("{}{}={}", separator, key, encoded(value));
    separator = '&';
  }
  return text;
}

}  // namespace slipway::sbom
