#include "version/requirement.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "version/text_reader.h"

namespace slipway::version {
namespace {

/// name [extras] (specifiers) | name [extras] @ url, then ; marker
class RequirementParser {
 public:
  explicit RequirementParser(std::string_view text) : whole_(text), reader_(text) {}

  Result<Requirement> parse() {
    if (whole_.size() > kLongestRequirement) return refuse("it is too long");
    Requirement requirement{TRY(name()), {}, {}, {}, {}};
    reader_.skip_spaces();
    if (reader_.skip('[')) requirement.extras = TRY(extras());
    reader_.skip_spaces();
    if (reader_.skip('@')) {
      requirement.url = TRY(url());
    } else {
      requirement.specifiers = TRY(specifiers());
    }
    reader_.skip_spaces();
    if (reader_.skip(';')) {
      auto marker = Marker::parse(reader_.rest());
      if (!marker) return std::move(marker).error().while_doing(step());
      requirement.marker = std::move(marker).value();
    } else if (!reader_.at_end()) {
      return refuse("there is something behind the end");
    }
    return requirement;
  }

 private:
  std::string step() const { return fmt::format("reading requirement `{}`", excerpt(whole_)); }

  Error refuse(std::string_view why) const {
    return make_error(ErrorKind::InvalidInput, "`{}` is not a requirement", excerpt(whole_))
        .reason(fmt::format("{} at column {}", why, whole_.size() - reader_.rest().size() + 1));
  }

  static bool is_name_character(char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
  }

  Result<PackageName> name() {
    reader_.skip_spaces();
    const TextReader start = reader_;
    auto parsed = PackageName::parse(reader_.take_while(is_name_character));
    if (parsed) return parsed;
    reader_ = start;
    return refuse("there is no name of a package or an extra");
  }

  Result<std::vector<std::string>> extras() {
    std::vector<std::string> names;
    for (reader_.skip_spaces(); !reader_.skip(']'); reader_.skip_spaces()) {
      if (!names.empty() && !reader_.skip(',')) return refuse("there is no `,` or `]`");
      names.push_back(TRY(name()).text());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  // A URL may hold `;`, so a marker behind it needs a space before its `;` (PEP 508).
  Result<std::string> url() {
    reader_.skip_spaces();
    const std::string_view url = reader_.take_while([](char c) { return !is_space(c); });
    if (url.empty()) return refuse("there is no URL");
    return std::string(url);
  }

  Result<SpecifierSet> specifiers() {
    const bool in_parentheses = reader_.skip('(');
    const char end = in_parentheses ? ')' : ';';
    const std::string_view text = reader_.take_while([&](char c) { return c != end; });
    if (in_parentheses && !reader_.skip(')')) return refuse("there is no `)`");
    auto set = SpecifierSet::parse(text);
    if (!set) return std::move(set).error().while_doing(step());
    return set;
  }

  std::string_view whole_;
  TextReader reader_;
};

}  // namespace

Result<Requirement> parse_requirement(std::string_view text) {
  return RequirementParser(text).parse();
}

std::string Requirement::text() const {
  std::string result = name.text();
  if (!extras.empty()) result += fmt::format("[{}]", fmt::join(extras, ","));
  result += specifiers.text();
  if (url) result += " @ " + *url;
  if (marker) result += (url ? " ; " : "; ") + marker->text();
  return result;
}

}  // namespace slipway::version
