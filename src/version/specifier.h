/// Version specifiers: PEP 440, "Version specifiers". `>=1.0,!=1.5.*,<2`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "version/version.h"

namespace slipway::version {

enum class Comparison {
  Compatible,      ///< ~=
  Equal,           ///< ==, also ==1.2.*
  NotEqual,        ///< !=, also !=1.2.*
  LessOrEqual,     ///< <=
  GreaterOrEqual,  ///< >=
  Less,            ///< <
  Greater,         ///< >
  Identical,       ///< ===
};

/// One clause.
class Specifier {
 public:
  /// Fails with InvalidInput.
  static Result<Specifier> parse(std::string_view text);

  /// By the operator's own rules (local versions, what `<` and `>` leave out). Whether pre-releases
  /// are wanted at all is the caller's question: they count as versions here.
  bool contains(const Version& version) const;

  Comparison comparison() const { return comparison_; }
  /// The version behind the operator, without the wild card; 0 for ===.
  const Version& version() const { return version_; }
  /// True for an == or === without a wild card: at most one public version.
  bool is_pin() const;
  /// Names a pre-release in a way that asks for one: `!=` never does.
  bool mentions_prerelease() const;
  std::string text() const;

 private:
  Comparison comparison_ = Comparison::Equal;
  bool is_prefix_ = false;  ///< ends in .*
  Version version_;         ///< unset for ===
  std::string identical_;   ///< lower case; for === only
};

/// Clauses of which all must hold. The empty set holds every version.
class SpecifierSet {
 public:
  SpecifierSet() = default;
  /// Clauses between commas; empty clauses are skipped, as in `>=1,`. Fails with InvalidInput.
  static Result<SpecifierSet> parse(std::string_view text);

  bool contains(const Version& version) const;
  bool mentions_prerelease() const;
  bool is_pin() const;  ///< some clause is
  bool empty() const { return clauses_.empty(); }
  const std::vector<Specifier>& clauses() const { return clauses_; }
  /// Normalised versions in the order of writing: `>=1.0,<2`.
  std::string text() const;

 private:
  std::vector<Specifier> clauses_;
};

}  // namespace slipway::version
