#include "spec/lock_fields.h"

#include <algorithm>

namespace slipway::spec {

std::string required(TableReader& table, std::string_view key) {
  auto text = table.text(key, Presence::Required);
  if (text && text->value.empty()) table.problem(text->at, fmt::format("`{}` is empty", text->key));
  return text ? std::move(text->value) : std::string();
}

std::string optional(TableReader& table, std::string_view key) {
  auto text = table.text(key);
  return text ? std::move(text->value) : std::string();
}

Digest required_digest(TableReader& table, std::string_view key) {
  const auto text = table.text(key, Presence::Required);
  if (!text) return {};
  const Result<Digest> digest = parse_digest(text->value);
  if (digest.ok()) return *digest;
  table.problem(text->at, fmt::format("`{}`: {}", text->key, digest.error().message));
  return {};
}

std::optional<UtcTime> optional_time(TableReader& table, std::string_view key) {
  const auto text = table.text(key);
  if (!text) return std::nullopt;
  const Result<UtcTime> time = parse_utc_time(text->value);
  if (time.ok() && utc_time_text(*time) == text->value) return *time;
  table.problem(text->at, fmt::format("`{}` is not a time as Slipway writes it", text->key),
                std::string(kRemedy));
  return std::nullopt;
}

std::uint64_t required_size(TableReader& table) {
  const auto size = table.integer("size", Presence::Required);
  if (!size) return 0;
  if (size->value < 0) table.problem(size->at, fmt::format("`{}` is negative", size->key));
  return static_cast<std::uint64_t>(std::max<std::int64_t>(size->value, 0));
}

std::vector<std::string> sorted_list(TableReader& table, std::string_view key) {
  std::vector<std::string> values;
  for (Read<std::string>& text : table.texts(key)) {
    if (!values.empty() && values.back() >= text.value) {
      table.problem(text.at, fmt::format("`{}` is out of order", text.key), std::string(kRemedy));
    }
    values.push_back(std::move(text.value));
  }
  return values;
}

}  // namespace slipway::spec
