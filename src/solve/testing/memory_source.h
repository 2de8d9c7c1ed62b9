/// A PackageSource in memory, over PEP 440 versions and PEP 508 requirements: for tests.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "solve/package_source.h"
#include "version/python_target.h"
#include "version/requirement.h"
#include "version/tag_set.h"
#include "version/version.h"

namespace slipway::solve::testing {

struct Release {
  std::string version;
  std::vector<std::string> requires_texts;  ///< PEP 508
  std::vector<std::string> extras;          ///< Provides-Extra
  std::string requires_python;
  std::vector<std::string> wheels;  ///< file names; none: one that fits everywhere
  bool is_yanked = false;
  std::string yanked_reason;
  std::string bad_metadata;  ///< not empty: the metadata cannot be had, and why
};

class MemorySource final : public PackageSource {
 public:
  MemorySource(version::PythonTarget target, std::string python_full_version);
  /// From now on versions are ordered by is_tried_before of solve/python.h.
  void expect_builds() { has_builds_ = true; }
  /// Fails with InvalidInput where name, version or file names are not valid.
  Result<void> add(std::string_view name, Release release);
  /// The requirement for the target; for the roots of a request.
  Result<std::vector<Requirement>> parse(std::string_view requirement) const;

  Result<CandidateList> candidates(const std::string& name) override;
  Result<Dependencies> dependencies(const Package& package, const Candidate& candidate) override;
  Result<Selection> select(const std::string& name, const CandidateList& list,
                           const std::string& constraint) override;
  void prefetch_candidates(const std::string& name) override;
  void prefetch_dependencies(const std::string& name, const Candidate& candidate) override;

  /// What was asked, so that tests can look at laziness: "foo", "foo 1.0", "foo[x] 1.0".
  const std::vector<std::string>& log() const { return log_; }
  /// Prefetch hints in order, the same way.
  const std::vector<std::string>& hints() const { return hints_; }

 private:
  struct Entry {
    version::Version version;
    Release release;
    std::vector<version::Requirement> requirements;
    std::string unusable;
  };
  const Entry* find(const std::string& name, const std::string& version) const;

  bool has_builds_ = false;
  version::PythonTarget target_;
  version::MarkerEnvironment environment_;
  version::TagSet tags_;
  std::map<std::string, std::vector<Entry>> packages_;  ///< newest first
  std::vector<std::string> log_;
  std::vector<std::string> hints_;
};

}  // namespace slipway::solve::testing
