#include "registry/challenge.h"

#include <algorithm>
#include <optional>

namespace slipway::registry {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_token(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~/";  // `/`, as in bare token68 values
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kOthers.find(c) != std::string_view::npos;
}

class ReaderView {
 public:
  explicit ReaderView(std::string_view rest) : rest_(rest) {}
  bool at_end() const { return rest_.empty(); }
  bool skip(char c) {
    blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    blanks();
    return true;
  }
  void blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }
  std::string_view token() {
    const auto end = std::ranges::find_if_not(rest_, is_token) - rest_.begin();
    const std::string_view word = rest_.substr(0, static_cast<std::size_t>(end));
    rest_.remove_prefix(word.size());
    return word;
  }
  /// A token, or text in quotes with `\` before what would end it.
  std::optional<std::string> value() {
    if (!rest_.starts_with('"')) return std::string(token());
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  ReaderView reader(header);
  for (;;) {
    while (reader.skip(',')) {
    }
    reader.blanks();
    const std::string word = lower(reader.token());
    if (word.empty()) return challenges;
    if (reader.skip('=')) {  // a parameter of the challenge before
      const auto value = reader.value();
      if (!value || challenges.empty()) return challenges;
      challenges.back().parameters.emplace(word, *value);
    } else {
      challenges.push_back({word, {}});
    }
  }
}

}  // namespace slipway::registry
