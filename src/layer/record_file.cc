#include "layer/record_file.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/base64.h"

namespace slipway::layer {
namespace {

/// Takes one row off the front; fields may be quoted, a quote within is written twice.
Result<std::vector<std::string>> take_row(std::string_view& text) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quoted) {
      if (c != '"') {
        fields.back().push_back(c);
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        fields.back().push_back(text[i++]);
      } else {
        is_quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      is_quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r' || i + 1 >= text.size() || text[i + 1] != '\n') {
      fields.back().push_back(c);
    }
  }
  if (is_quoted) return make_error(ErrorKind::Corrupt, "has a RECORD with a quote that never ends");
  text.remove_prefix(std::min(i + 1, text.size()));
  return fields;
}

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char c : field) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

}  // namespace

std::optional<Digest> sha256_of_row(std::string_view hash) {
  constexpr std::string_view kAlgorithm = "sha256=";
  if (!hash.starts_with(kAlgorithm)) return std::nullopt;
  std::string text(hash.substr(kAlgorithm.size()));
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  const auto bytes = decode_base64(text);
  Digest digest;
  if (!bytes || bytes->size() != digest.value.size()) return std::nullopt;
  std::memcpy(digest.value.data(), bytes->data(), bytes->size());
  return digest;
}

Result<Record> parse_record(std::string_view text) {
  Record record;
  while (!text.empty()) {
    std::vector<std::string> fields = TRY(take_row(text));
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (fields[0].empty()) return make_error(ErrorKind::Corrupt, "has a RECORD row without a path");
    fields.resize(3);
    record[std::move(fields[0])] = {std::move(fields[1]), std::move(fields[2])};
  }
  return record;
}

std::string write_record(const Record& record) {
  std::string text;
  for (const auto& [path, row] : record) {
    text += fmt::format("{},{},{}\n", quoted(path), quoted(row.hash), quoted(row.size));
  }
  return text;
}

RecordRow make_record_row(std::string_view contents) {
  return {"sha256=" + sha256(contents).base64url(), std::to_string(contents.size())};
}

}  // namespace slipway::layer
