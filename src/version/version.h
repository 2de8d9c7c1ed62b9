/// Versions of Python packages: PEP 440.
///
///   [epoch!]release[{a|b|rc}N][.postN][.devN][+local]     "1!2.6.0rc1.post2.dev3+cu124"
///
/// All spellings that PEP 440 normalises are read (`v1.0-alpha.1`, `1.0-1`); text() writes the
/// normal one. Release and suffix numbers are below 2^64; local segments may have any length, since
/// they hold dates and commit ids. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::version {

/// The phases before a final release, in the order of time.
enum class Phase { Alpha, Beta, Candidate };

struct PreRelease {
  Phase phase = Phase::Alpha;
  std::uint64_t number = 0;
  auto operator<=>(const PreRelease&) const = default;
};

class Version {
 public:
  /// Surrounding white space is fine. Fails with InvalidInput.
  static Result<Version> parse(std::string_view text);

  std::string text() const;         ///< normalised, with the local part
  std::string public_text() const;  ///< normalised, without the local part

  std::uint64_t epoch() const { return epoch_; }
  const std::vector<std::uint64_t>& release() const { return release_; }
  const std::optional<PreRelease>& pre() const { return pre_; }
  const std::optional<std::uint64_t>& post() const { return post_; }
  const std::optional<std::uint64_t>& dev() const { return dev_; }
  const std::vector<std::string>& local() const { return local_; }

  /// An alpha, beta, candidate or developmental release.
  bool is_prerelease() const { return pre_.has_value() || dev_.has_value(); }
  bool is_postrelease() const { return post_.has_value(); }
  bool has_local() const { return !local_.empty(); }

  /// "2.6" of 2.6.0: what release notes and tables call a version.
  std::string series() const;
  Version without_local() const;
  /// Epoch and release only: 1!2.0 for 1!2.0rc1.post3.
  Version base() const;
  /// The very first of its developmental releases: 2.0.dev0 for 2.0.
  Version first_dev() const;

  /// PEP 440 order. `1.0 == 1.0.0`, whatever their texts.
  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }

 private:
  friend class VersionParser;
  std::uint64_t epoch_ = 0;
  std::vector<std::uint64_t> release_;
  std::optional<PreRelease> pre_;
  std::optional<std::uint64_t> post_;
  std::optional<std::uint64_t> dev_;
  std::vector<std::string> local_;  ///< lower case; numbers without leading zeros
};

}  // namespace slipway::version
