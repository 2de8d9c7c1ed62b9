#include "oci/json_writer.h"

#include <fmt/format.h>

namespace slipway::oci {

void JsonWriter::begin(char bracket) {
  separate();
  out_.push_back(bracket);
  needs_comma_ = false;
}

void JsonWriter::end(char bracket) {
  out_.push_back(bracket);
  needs_comma_ = true;
}

void JsonWriter::separate() {
  if (needs_comma_) out_.push_back(',');
  needs_comma_ = true;
}

void JsonWriter::quote(std::string_view value) {
  out_.push_back('"');
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      out_.push_back('\\');
      out_.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out_ += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out_.push_back(c);
    }
  }
  out_.push_back('"');
}

void JsonWriter::key(std::string_view name) {
  separate();
  quote(name);
  out_.push_back(':');
  needs_comma_ = false;
}

void JsonWriter::text(std::string_view value) {
  separate();
  quote(value);
}

void JsonWriter::number(std::uint64_t value) {
  separate();
  out_ += fmt::format("{}", value);
}

void JsonWriter::flag(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::member(std::string_view name, std::string_view value) {
  if (value.empty()) return;
  key(name);
  text(value);
}

void JsonWriter::member(std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  key(name);
  begin_array();
  for (const std::string& value : values) text(value);
  end_array();
}

void JsonWriter::member(std::string_view name, const std::map<std::string, std::string>& values) {
  if (values.empty()) return;
  key(name);
  begin_object();
  for (const auto& [inner, value] : values) {
    key(inner);
    text(value);
  }
  end_object();
}

void JsonWriter::member(std::string_view name, const std::set<std::string>& values) {
  if (values.empty()) return;
  key(name);
  begin_object();
  for (const std::string& value : values) {
    key(value);
    begin_object();
    end_object();
  }
  end_object();
}

}  // namespace slipway::oci
