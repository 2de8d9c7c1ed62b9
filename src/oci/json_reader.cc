#include "oci/json_reader.h"

#include <limits>
#include <utility>

namespace slipway::oci {
namespace {

constexpr std::size_t kMostLevels = 32;

/// Keeps the document as it is read, and stops at what it must not have.
class Builder {
 public:
  using json = nlohmann::json;

  bool null() { return put(nullptr); }
  bool boolean(bool value) { return put(value); }
  bool number_integer(json::number_integer_t value) { return put(value); }
  bool number_unsigned(json::number_unsigned_t value) { return put(value); }
  bool number_float(json::number_float_t value, const std::string&) { return put(value); }
  bool string(std::string& value) { return put(std::move(value)); }
  bool binary(json::binary_t&) { return false; }  // of no text
  bool start_object(std::size_t) { return descend(json::object()); }
  bool start_array(std::size_t) { return descend(json::array()); }
  bool end_object() { return ascend(); }
  bool end_array() { return ascend(); }
  bool key(std::string& name) {
    const auto [entry, is_new] = open_.back()->get_ref<json::object_t&>().emplace(name, nullptr);
    value_ = &entry->second;
    if (!is_new) problem_ = fmt::format("says `{}` twice in one object", name.substr(0, 64));
    return is_new;
  }
  template <typename Exception>
  bool parse_error(std::size_t position, const std::string&, const Exception&) {
    problem_ = fmt::format("is not JSON at byte {}", position);
    return false;
  }

  json take() { return std::move(document_); }
  const std::string& problem() const { return problem_; }

 private:
  /// At the top, at the end of the open array, or under the key that was read last.
  bool put(json value) {
    if (!open_.empty() && open_.back()->is_array()) {
      open_.back()->push_back(nullptr);
      value_ = &open_.back()->back();
    }
    *value_ = std::move(value);
    return true;
  }
  bool descend(json empty) {
    put(std::move(empty));
    open_.push_back(value_);
    if (open_.size() <= kMostLevels) return true;
    problem_ = fmt::format("is nested more than {} levels deep", kMostLevels);
    return false;
  }
  bool ascend() {
    open_.pop_back();
    return true;
  }

  json document_;
  json* value_ = &document_;  ///< where the next value goes, outside arrays
  std::vector<json*> open_;   ///< objects and arrays, the outermost first
  std::string problem_;
};

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text, std::string_view what,
                                  std::size_t most_bytes) {
  if (text.size() > most_bytes) {
    return make_error(ErrorKind::Corrupt, "{}: larger than {} bytes", what, most_bytes);
  }
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    return make_error(ErrorKind::Corrupt, "{}: {}", what, builder.problem());
  }
  nlohmann::json document = builder.take();
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
