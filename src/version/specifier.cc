#include "version/specifier.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "version/text_reader.h"

namespace slipway::version {
namespace {

struct Operator {
  std::string_view text;
  Comparison comparison;
};
// Longer ones first, so that `===` is not read as `==`.
constexpr Operator kOperators[] = {
    {"===", Comparison::Identical},  {"~=", Comparison::Compatible},
    {"==", Comparison::Equal},       {"!=", Comparison::NotEqual},
    {"<=", Comparison::LessOrEqual}, {">=", Comparison::GreaterOrEqual},
    {"<", Comparison::Less},         {">", Comparison::Greater},
};

std::string_view operator_text(Comparison comparison) {
  for (const Operator& each : kOperators) {
    if (each.comparison == comparison) return each.text;
  }
  return "";
}

// Whether the release begins with the first `length` numbers of `prefix`; missing ones are 0.
bool has_prefix(const Version& version, const Version& prefix, std::size_t length) {
  if (version.epoch() != prefix.epoch()) return false;
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint64_t number = i < version.release().size() ? version.release()[i] : 0;
    if (number != prefix.release()[i]) return false;
  }
  return true;
}

// PEP 440: `<2.0` leaves out the pre-releases of 2.0 itself (from 2.0.dev0 on), unless 2.0 is one.
bool is_less(const Version& version, const Version& bound) {
  return version < (bound.is_prerelease() ? bound : bound.first_dev());
}

// PEP 440: `>1.7` leaves out the post-releases of 1.7, unless 1.7 is one, and its local versions.
bool is_greater(const Version& version, const Version& bound) {
  if (!(version > bound) || version.without_local() == bound) return false;
  const bool is_post_of_bound = version.is_postrelease() && !bound.is_postrelease() &&
                                !bound.dev() && version.pre() == bound.pre() &&
                                version.base() == bound.base();
  return !is_post_of_bound;
}

bool is_equal(const Version& version, const Version& wanted) {
  return (wanted.has_local() ? version : version.without_local()) == wanted;
}

std::string lower_text(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
  return lower;
}

Error not_a_specifier(std::string_view text) {
  return make_error(ErrorKind::InvalidInput, "`{}` is not a version specifier", excerpt(text));
}

}  // namespace

Result<Specifier> Specifier::parse(std::string_view text) {
  const std::string_view whole = trim(text);
  const auto* found = std::find_if(std::begin(kOperators), std::end(kOperators),
                                   [&](const Operator& o) { return whole.starts_with(o.text); });
  if (found == std::end(kOperators)) return not_a_specifier(text);
  Specifier specifier;
  specifier.comparison_ = found->comparison;
  std::string_view operand = trim(whole.substr(found->text.size()));
  if (operand.size() > kLongestVersion) return not_a_specifier(text).reason("it is too long");
  if (found->comparison == Comparison::Identical) {
    specifier.identical_ = lower_text(operand);
    const bool is_word = std::none_of(operand.begin(), operand.end(),
                                      [](char c) { return is_space(c) || c == ';' || c == ')'; });
    if (operand.empty() || !is_word) return not_a_specifier(text);
    return specifier;
  }
  const bool is_equality =
      found->comparison == Comparison::Equal || found->comparison == Comparison::NotEqual;
  if (operand.ends_with(".*")) {
    specifier.is_prefix_ = true;
    operand.remove_suffix(2);
  }
  auto version = Version::parse(operand);
  if (!version || is_space(operand.back())) return not_a_specifier(text);
  specifier.version_ = std::move(version).value();
  const Version& parsed = specifier.version_;
  const bool is_plain = !parsed.is_prerelease() && !parsed.is_postrelease() && !parsed.has_local();
  if (specifier.is_prefix_ && (!is_equality || !is_plain)) return not_a_specifier(text);
  if (parsed.has_local() && !is_equality) return not_a_specifier(text);
  if (found->comparison == Comparison::Compatible && parsed.release().size() < 2) {
    return not_a_specifier(text).reason("`~=` needs a version of two numbers or more");
  }
  return specifier;
}

bool Specifier::contains(const Version& version) const {
  const std::size_t length = version_.release().size();
  switch (comparison_) {
    case Comparison::Identical:
      return lower_text(version.text()) == identical_;
    case Comparison::Equal:
      return is_prefix_ ? has_prefix(version, version_, length) : is_equal(version, version_);
    case Comparison::NotEqual:
      return !(is_prefix_ ? has_prefix(version, version_, length) : is_equal(version, version_));
    case Comparison::LessOrEqual:
      return version.without_local() <= version_;
    case Comparison::GreaterOrEqual:
      return version.without_local() >= version_;
    case Comparison::Less:
      return is_less(version, version_);
    case Comparison::Greater:
      return is_greater(version, version_);
    case Comparison::Compatible:
      return version.without_local() >= version_ && has_prefix(version, version_, length - 1);
  }
  return false;
}

bool Specifier::is_pin() const {
  return comparison_ == Comparison::Identical || (comparison_ == Comparison::Equal && !is_prefix_);
}

bool Specifier::mentions_prerelease() const {
  if (comparison_ == Comparison::NotEqual) return false;
  if (comparison_ == Comparison::Identical) {
    const auto version = Version::parse(identical_);
    return version.ok() && version->is_prerelease();
  }
  return version_.is_prerelease();
}

std::string Specifier::text() const {
  if (comparison_ == Comparison::Identical) return "===" + identical_;
  return fmt::format("{}{}{}", operator_text(comparison_), version_.text(), is_prefix_ ? ".*" : "");
}

Result<SpecifierSet> SpecifierSet::parse(std::string_view text) {
  SpecifierSet set;
  if (text.size() > kLongestRequirement) return not_a_specifier(text).reason("it is too long");
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view clause = trim(rest.substr(0, comma));
    if (!clause.empty()) set.clauses_.push_back(TRY(Specifier::parse(clause)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return set;
}

bool SpecifierSet::contains(const Version& version) const {
  return std::all_of(clauses_.begin(), clauses_.end(),
                     [&](const Specifier& clause) { return clause.contains(version); });
}

bool SpecifierSet::mentions_prerelease() const {
  return std::any_of(clauses_.begin(), clauses_.end(),
                     [](const Specifier& clause) { return clause.mentions_prerelease(); });
}

bool SpecifierSet::is_pin() const {
  return std::any_of(clauses_.begin(), clauses_.end(),
                     [](const Specifier& clause) { return clause.is_pin(); });
}

std::string SpecifierSet::text() const {
  std::string text;
  for (const Specifier& clause : clauses_) {
    if (!text.empty()) text += ',';
    text += clause.text();
  }
  return text;
}

}  // namespace slipway::version
