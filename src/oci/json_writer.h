/// JSON of our own, so that no installed library decides a digest.
///
/// No white space; members in the order of the calls; strings as they are (UTF-8 is the caller's
/// affair), with `"`, `\` and control characters escaped.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::oci {

class JsonWriter {
 public:
  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  void key(std::string_view name);
  void text(std::string_view value);
  void number(std::uint64_t value);
  void flag(bool value);

  /// Members, of which empty ones are left out.
  void member(std::string_view name, std::string_view value);
  void member(std::string_view name, const std::vector<std::string>& values);
  void member(std::string_view name, const std::map<std::string, std::string>& values);
  /// `{"a":{},"b":{}}`: how the spec writes a set.
  void member(std::string_view name, const std::set<std::string>& values);

  std::string take() { return std::move(out_); }

 private:
  void begin(char bracket);
  void end(char bracket);
  void separate();
  void quote(std::string_view value);
  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace slipway::oci
