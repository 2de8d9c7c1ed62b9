#include <algorithm>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/utf8.h"
#include "sbom/licence.h"

namespace slipway::sbom {

extern const std::string_view kLicenceList;

namespace {

constexpr std::size_t kLongestExpression = 4096;
constexpr int kMostNesting = 32;
constexpr std::size_t kLongestName = 60;
constexpr std::size_t kLongestText = 1 << 16;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

/// Of an identifier (SPDX 2.3, annex D: idstring).
bool is_id_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.';
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// By lower case.
struct LicenceList {
  std::map<std::string, std::string> licences, exceptions;
};

LicenceList read_list() {
  LicenceList list;
  bool is_exception = false;
  for (std::string_view rest = kLicenceList; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line == "# exceptions") is_exception = true;
    if (line.empty() || line.starts_with('#')) continue;
    (is_exception ? list.exceptions : list.licences).emplace(lower(line), line);
  }
  return list;
}

const LicenceList& licence_list() {
  static const LicenceList list = read_list();
  return list;
}

enum class Binding { Or, And, One };

struct Part {
  std::string text;
  Binding binding = Binding::One;
};

std::string within(const Part& part, Binding outer) {
  return part.binding < outer ? "(" + part.text + ")" : part.text;
}

class ExpressionParser {
 public:
  explicit ExpressionParser(std::string_view text) : rest_(text) { advance(); }

  std::optional<std::string> parse() {
    const std::optional<Part> whole = parse_or(0);
    if (!whole || !word_.empty()) return std::nullopt;
    return whole->text;
  }

 private:
  void advance() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
    std::size_t length = 0;
    while (length < rest_.size() && (is_id_char(rest_[length]) || rest_[length] == '+')) ++length;
    if (length == 0 && !rest_.empty()) length = 1;
    word_ = rest_.substr(0, length);
    rest_.remove_prefix(length);
  }

  bool take(std::string_view word) {
    if (lower(word_) != word) return false;
    advance();
    return true;
  }

  std::optional<Part> parse_or(int depth) {
    std::optional<Part> left = parse_and(depth);
    while (left && take("or")) {
      const std::optional<Part> right = parse_and(depth);
      if (!right) return std::nullopt;
      left = Part{left->text + " OR " + right->text, Binding::Or};
    }
    return left;
  }

  std::optional<Part> parse_and(int depth) {
    std::optional<Part> left = parse_one(depth);
    while (left && take("and")) {
      const std::optional<Part> right = parse_one(depth);
      if (!right) return std::nullopt;
      left =
          Part{within(*left, Binding::And) + " AND " + within(*right, Binding::And), Binding::And};
    }
    return left;
  }

  std::optional<Part> parse_one(int depth) {
    if (take("(")) {
      if (depth == kMostNesting) return std::nullopt;
      std::optional<Part> inner = parse_or(depth + 1);
      return inner && take(")") ? inner : std::nullopt;
    }
    std::optional<std::string> id = known(word_);
    if (!id) return std::nullopt;
    advance();
    if (!take("with")) return Part{std::move(*id), Binding::One};
    const auto exception = licence_list().exceptions.find(lower(word_));
    if (exception == licence_list().exceptions.end()) return std::nullopt;
    advance();
    return Part{*id + " WITH " + exception->second, Binding::One};
  }

  static std::optional<std::string> known(std::string_view word) {
    constexpr std::string_view kRef = "LicenseRef-";
    if (word.starts_with(kRef) && word.size() > kRef.size() && !word.ends_with('+'))
      return std::string(word);
    if (auto id = find_licence_id(word)) return id;
    if (!word.ends_with('+')) return std::nullopt;
    word.remove_suffix(1);
    auto id = find_licence_id(word);
    if (id) *id += '+';
    return id;
  }

  std::string_view rest_, word_;
};

/// What `AND` joins in a normal expression; a choice among them in parentheses.
std::vector<std::string> clauses_of(const std::string& expression) {
  std::vector<std::string> clauses;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    depth += expression[i] == '(' ? 1 : expression[i] == ')' ? -1 : 0;
    if (depth == 0 && expression.compare(i, 4, " OR ") == 0) return {"(" + expression + ")"};
    if (depth != 0 || expression.compare(i, 5, " AND ") != 0) continue;
    clauses.push_back(expression.substr(begin, i - begin));
    begin = i + 5;
  }
  if (begin < expression.size()) clauses.push_back(expression.substr(begin));
  return clauses;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

/// Cut at a character's border.
std::string cut_text(const std::string& text) {
  if (text.size() <= kLongestText) return text;
  std::size_t end = kLongestText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "\n[cut]";
}

}  // namespace

std::optional<std::string> find_licence_id(std::string_view text) {
  const auto found = licence_list().licences.find(lower(text));
  return found == licence_list().licences.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> normalise_expression(std::string_view text) {
  if (text.size() > kLongestExpression) return std::nullopt;
  return ExpressionParser(text).parse();
}

Licence make_licence_ref(std::string_view name, std::string_view text) {
  const std::string said = cut_text(trimmed(text.empty() ? name : text));
  const std::string full_name = trimmed(name);
  std::string id;
  for (const char c : full_name.substr(0, kLongestName)) {
    if (is_id_char(c)) {
      id += c;
    } else if (!id.empty() && id.back() != '-') {
      id += '-';
    }
  }
  while (id.ends_with('-') || id.ends_with('.')) id.pop_back();
  const bool says_all = id == full_name && said == full_name;
  if (!says_all) id += (id.empty() ? "" : "-") + sha256(full_name + "\n" + said).hex().substr(0, 8);
  if (said.empty()) return {};
  return {"LicenseRef-" + id, {{"LicenseRef-" + id, said}}};
}

Licence all_of(std::vector<Licence> licences) {
  Licence all;
  std::set<std::string> parts;
  for (const Licence& one : licences) {
    all.texts.insert(one.texts.begin(), one.texts.end());
    for (std::string& part : clauses_of(one.expression)) parts.insert(std::move(part));
  }
  all.expression = fmt::format("{}", fmt::join(parts, " AND "));
  // A choice that stands alone needs no parentheses.
  if (const auto normal = ExpressionParser(all.expression).parse()) all.expression = *normal;
  return all;
}

}  // namespace slipway::sbom
