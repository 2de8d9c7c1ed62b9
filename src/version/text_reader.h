/// Small helpers for reading ASCII text from left to right. Private to `version`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::version {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_letter_or_digit(char c) {
  return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_space(char c) { return is_blank(c) || (c >= '\n' && c <= '\r'); }

constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// No version that was ever published has 200 characters, no requirement 10,000. What an index may
// send is bounded by these, so that reading and comparing it takes no time to speak of.
inline constexpr std::size_t kLongestVersion = 1024;
inline constexpr std::size_t kLongestRequirement = 1 << 16;

/// `text` as a message quotes it: a long one is cut, between two characters of UTF-8.
inline std::string excerpt(std::string_view text) {
  constexpr std::size_t kMost = 100;
  text = trim(text);
  if (text.size() <= kMost) return std::string(text);
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "…";
}

/// A place in a text that outlives it. A copy remembers a place to go back to.
class TextReader {
 public:
  explicit constexpr TextReader(std::string_view text) : rest_(text) {}

  constexpr bool at_end() const { return rest_.empty(); }
  constexpr std::string_view rest() const { return rest_; }
  /// The character `ahead` places further on, or NUL behind the end.
  constexpr char peek(std::size_t ahead = 0) const {
    return ahead < rest_.size() ? rest_[ahead] : '\0';
  }
  constexpr bool skip(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Skips `word`, which is in lower case, whatever its case in the text.
  constexpr bool skip_word(std::string_view word) {
    if (rest_.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (to_lower(rest_[i]) != word[i]) return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }
  template <typename Predicate>
  constexpr std::string_view take_while(Predicate&& predicate) {
    std::size_t length = 0;
    while (length < rest_.size() && predicate(rest_[length])) ++length;
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }
  constexpr void skip_spaces() { take_while(is_space); }
  constexpr void advance(std::size_t count) { rest_.remove_prefix(count); }

 private:
  std::string_view rest_;
};

}  // namespace slipway::version
