/// Foreign JSON, read strictly. Private to `oci`.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"

namespace slipway::oci {

/// At most `most_bytes` and 32 levels, no key twice in one object, valid UTF-8, an object at the
/// top. `what` ("manifest") starts every message.
Result<nlohmann::json> parse_json(std::string_view text, std::string_view what,
                                  std::size_t most_bytes);

/// A place in a document, which may be empty, and its name for messages. `null` counts as absent:
/// that is how Go's tools write empty fields. Borrows the document.
class JsonNodeView {
 public:
  JsonNodeView(const nlohmann::json& document, std::string what)
      : value_(&document), what_(std::move(what)) {}

  bool is_absent() const { return value_ == nullptr && problem_.empty(); }
  /// Absent where this is absent. Where this is no object, whatever is read from the member fails.
  JsonNodeView member(const std::string& key) const;
  Result<std::vector<JsonNodeView>> items() const;  ///< of an array; none where absent

  Result<std::string> text() const;  ///< empty where absent; never holds NUL
  Result<std::string> required_text() const;
  Result<std::uint64_t> number() const;  ///< required; below 2^63
  Result<bool> flag() const;             ///< false where absent
  Result<Digest> digest() const;         ///< required
  Result<std::vector<std::string>> texts() const;
  Result<std::map<std::string, std::string>> text_map() const;
  Result<std::set<std::string>> keys() const;  ///< of an object whose values say nothing

  Error corrupt(std::string_view why) const;  ///< "manifest: `layers[3].size` <why>"

 private:
  Result<void> check() const;
  JsonNodeView(const nlohmann::json* value, std::string what, std::string path)
      : value_(value), what_(std::move(what)), path_(std::move(path)) {}
  const nlohmann::json* value_;
  std::string what_;
  std::string path_;
  std::string problem_;  ///< of what stands above; it comes out of every read
};

}  // namespace slipway::oci
