/// The Python index, and the target's interpreter, as the solver sees them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "index/simple_index.h"
#include "solve/package_source.h"
#include "version/python_target.h"
#include "version/tag_set.h"

namespace slipway::plan {

class PythonSource final : public solve::PackageSource {
 public:
  struct Options {
    version::PythonTarget target;
    std::string python_version;            ///< "3.11.2", of the target's interpreter
    std::string python_given;              ///< why: "Debian bookworm brings Python 3.11.2"
    std::vector<std::string> known_names;  ///< for "did you mean"
    /// Wheels that were uploaded at this time or later do not count, nor do those of which the
    /// index does not tell it.
    std::optional<UtcTime> before{};
  };

  /// Borrows `python`.
  PythonSource(index::SimpleIndex& python, Options options);

  Result<solve::CandidateList> candidates(const std::string& name) override;
  Result<solve::Dependencies> dependencies(const solve::Package& package,
                                           const solve::Candidate& candidate) override;
  Result<solve::Selection> select(const std::string& name, const solve::CandidateList& list,
                                  const std::string& constraint) override;
  void prefetch_candidates(const std::string& name) override;
  void prefetch_dependencies(const std::string& name, const solve::Candidate& candidate) override;

  const version::MarkerEnvironment& environment() const { return environment_; }

  /// The wheel that stands for a version which `candidates` listed as usable.
  const index::WheelFile* find_wheel(const std::string& name, const std::string& version) const;

 private:
  struct Listed {
    std::vector<version::Version> versions;               ///< in the order of the candidates
    std::map<std::string, index::WheelFile> best_wheels;  ///< by version text, those that fit
  };

  Result<solve::CandidateList> python_candidates();
  solve::CandidateList list_versions(const index::ProjectPage& page, Listed& listed) const;

  index::SimpleIndex& python_;
  Options options_;
  version::TagSet tags_;
  version::MarkerEnvironment environment_;
  std::map<std::string, Listed> listed_;
};

/// The name under which the interpreter enters the solve.
inline constexpr const char* kPythonPackage = "python";

}  // namespace slipway::plan
