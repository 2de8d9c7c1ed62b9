#include "oci/json_reader.h"

#include <limits>
#include <utility>

namespace slipway::oci {
namespace {

constexpr std::size_t kMostLevels = 32;

/// Looks at the whole document before any of it is kept.
class Inspector {
 public:
  using json = nlohmann::json;

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(json::number_integer_t) { return true; }
  bool number_unsigned(json::number_unsigned_t) { return true; }
  bool number_float(json::number_float_t, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(json::binary_t&) { return true; }
  bool start_object(std::size_t) { return descend(); }
  bool start_array(std::size_t) { return descend(); }
  bool end_object() { return ascend(); }
  bool end_array() { return ascend(); }
  bool key(std::string& name) {
    if (keys_.back().insert(name).second) return true;
    problem_ = fmt::format("says `{}` twice in one object", name.substr(0, 64));
    return false;
  }
  template <typename Exception>
  bool parse_error(std::size_t position, const std::string&, const Exception&) {
    problem_ = fmt::format("is not JSON at byte {}", position);
    return false;
  }

  const std::string& problem() const { return problem_; }

 private:
  bool descend() {
    keys_.emplace_back();
    if (keys_.size() <= kMostLevels) return true;
    problem_ = fmt::format("is nested more than {} levels deep", kMostLevels);
    return false;
  }
  bool ascend() {
    keys_.pop_back();
    return true;
  }
  std::vector<std::set<std::string>> keys_;
  std::string problem_;
};

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, std::string_view what,
                                  std::size_t most_bytes) {
  if (text.size() > most_bytes) {
    return make_error(ErrorKind::Corrupt, "{}: larger than {} bytes", what, most_bytes);
  }
  Inspector inspector;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &inspector)) {
    return make_error(ErrorKind::Corrupt, "{}: {}", what, inspector.problem());
  }
  nlohmann::json document = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (!document.is_object()) {
    return make_error(ErrorKind::Corrupt, "{}: is not a JSON object", what);
  }
  return document;
}

Error JsonNodeView::corrupt(std::string_view why) const {
  return make_error(ErrorKind::Corrupt, "{}: `{}` {}", what_, path_, why);
}

Result<void> JsonNodeView::check() const {
  if (problem_.empty()) return {};
  return make_error(ErrorKind::Corrupt, "{}", problem_);
}

JsonNodeView JsonNodeView::member(const std::string& key) const {
  JsonNodeView node(nullptr, what_, path_.empty() ? key : path_ + "." + key);
  node.problem_ = problem_;
  if (value_ == nullptr) return node;
  if (!value_->is_object()) {
    node.problem_ = corrupt("is not an object").message;
    return node;
  }
  const auto found = value_->find(key);
  if (found != value_->end() && !found->is_null()) node.value_ = &*found;
  return node;
}

Result<std::vector<JsonNodeView>> JsonNodeView::items() const {
  TRY(check());
  std::vector<JsonNodeView> nodes;
  if (value_ == nullptr) return nodes;
  if (!value_->is_array()) return corrupt("is not an array");
  for (std::size_t i = 0; i < value_->size(); ++i) {
    nodes.push_back(JsonNodeView(&(*value_)[i], what_, fmt::format("{}[{}]", path_, i)));
  }
  return nodes;
}

Result<std::string> JsonNodeView::text() const {
  TRY(check());
  if (value_ == nullptr) return std::string();
  const auto* text = value_->get_ptr<const std::string*>();
  if (text == nullptr) return corrupt("is not a string");
  if (text->find('\0') != std::string::npos) return corrupt("holds a NUL character");
  return *text;
}

Result<std::string> JsonNodeView::required_text() const {
  std::string value = TRY(text());
  if (value.empty()) return corrupt(value_ == nullptr ? "is missing" : "is empty");
  return value;
}

Result<std::uint64_t> JsonNodeView::number() const {
  TRY(check());
  if (value_ == nullptr) return corrupt("is missing");
  const auto* number = value_->get_ptr<const nlohmann::json::number_unsigned_t*>();
  // descriptor.md: int64.
  if (number == nullptr || *number > std::numeric_limits<std::int64_t>::max()) {
    return corrupt("is not a whole number from 0 to 2^63 - 1");
  }
  return *number;
}

Result<bool> JsonNodeView::flag() const {
  TRY(check());
  if (value_ == nullptr) return false;
  if (!value_->is_boolean()) return corrupt("is neither true nor false");
  return value_->get<bool>();
}

Result<Digest> JsonNodeView::digest() const {
  const std::string text = TRY(required_text());
  if (!text.starts_with("sha256:")) {
    if (text.find(':') == std::string::npos) return corrupt("is not a digest");
    return make_error(ErrorKind::Unsupported, "{}: `{}` is a digest other than sha256", what_,
                      path_);
  }
  Result<Digest> digest = parse_digest(text);
  if (!digest.ok()) return corrupt("is not a sha256 digest");
  return digest;
}

Result<std::vector<std::string>> JsonNodeView::texts() const {
  std::vector<std::string> texts;
  for (const JsonNodeView& item : TRY(items())) texts.push_back(TRY(item.text()));
  return texts;
}

Result<std::map<std::string, std::string>> JsonNodeView::text_map() const {
  std::map<std::string, std::string> map;
  for (const std::string& key : TRY(keys())) map[key] = TRY(member(key).text());
  return map;
}

Result<std::set<std::string>> JsonNodeView::keys() const {
  TRY(check());
  std::set<std::string> keys;
  if (value_ == nullptr) return keys;
  if (!value_->is_object()) return corrupt("is not an object");
  for (const auto& [key, value] : value_->items()) {
    if (key.find('\0') != std::string::npos) return corrupt("has a key that holds a NUL character");
    keys.insert(key);
  }
  return keys;
}

}  // namespace slipway::oci
