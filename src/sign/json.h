/// Foreign JSON whose members are looked for by their path. Private to `sign`.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::sign {

inline constexpr std::size_t kMostJsonBytes = 4 << 20;

/// Nothing where it is too large, or no JSON with an object at its top.
inline std::optional<nlohmann::json> parse_object(std::string_view text) {
  if (text.size() > kMostJsonBytes) return std::nullopt;
  nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) return std::nullopt;
  return document;
}

/// Borrows the document; null where there is nothing.
inline const nlohmann::json* find_member(const nlohmann::json& document,
                                         std::initializer_list<const char*> path) {
  const nlohmann::json* at = &document;
  for (const char* key : path) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(key);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

/// Empty where there is no text.
inline std::string find_text(const nlohmann::json& document,
                             std::initializer_list<const char*> path) {
  const nlohmann::json* found = find_member(document, path);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace slipway::sign
