#include "version/lenient.h"

#include "version/text_reader.h"

namespace slipway::version {
namespace {

bool is_operator(char c) { return c == '<' || c == '>' || c == '=' || c == '!' || c == '~'; }

/// One clause that was meant, or "" where it is not clear which.
std::string mend_clause(std::string_view comparison, std::string_view operand) {
  std::string clause = std::string(comparison) + std::string(operand);
  if (Specifier::parse(clause).ok()) return clause;
  const bool is_equality = comparison == "==" || comparison == "!=";
  if (is_equality && operand.ends_with('*')) {  // ==3.0* is ==3.0.*
    operand.remove_suffix(1);
    clause = std::string(comparison) + std::string(operand) + ".*";
  } else if (operand.ends_with(".*")) {  // >=3.6.* is >=3.6
    operand.remove_suffix(2);
    clause = std::string(comparison) + std::string(operand);
  }
  return Specifier::parse(clause).ok() ? clause : "";
}

/// Clause by clause, with a comma between them or none; "" where one cannot be understood.
std::string mend_all(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    if (c != '\'' && c != '"') plain += c == ',' ? ' ' : c;
  }
  TextReader reader(plain);
  std::string result;
  for (reader.skip_spaces(); !reader.at_end(); reader.skip_spaces()) {
    const std::string_view comparison = reader.take_while(is_operator);
    reader.skip_spaces();
    const std::string_view operand =
        reader.take_while([](char c) { return !is_operator(c) && !is_space(c); });
    const std::string clause = mend_clause(comparison, operand);
    if (comparison.empty() || clause.empty()) return "";
    result += (result.empty() ? "" : ",") + clause;
  }
  return result;
}

}  // namespace

std::string mend_specifiers(std::string_view text) {
  if (text.size() > kLongestRequirement || SpecifierSet::parse(text).ok()) return std::string(text);
  const std::string mended = mend_all(text);
  return mended.empty() ? std::string(text) : mended;
}

Result<Requirement> parse_old_requirement(std::string_view text) {
  Result<Requirement> strict = parse_requirement(text);
  if (strict.ok() || text.size() > kLongestRequirement) return strict;
  // name[extras] stays as it is, then the specifiers, in parentheses or not, up to the marker.
  const std::size_t end = std::min(text.find(';'), text.size());
  const std::size_t begin = std::min(text.find_first_of("(<>=!~"), end);
  std::string_view specifiers = trim(text.substr(begin, end - begin));
  if (specifiers.starts_with('(') && specifiers.ends_with(')')) {
    specifiers = specifiers.substr(1, specifiers.size() - 2);
  }
  const std::string mended = std::string(text.substr(0, begin)) + mend_specifiers(specifiers);
  Result<Requirement> again = parse_requirement(mended + std::string(text.substr(end)));
  return again.ok() ? again : strict;
}

}  // namespace slipway::version
