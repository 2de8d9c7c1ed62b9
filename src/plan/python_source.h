/// The Python indexes, and the target's interpreter and C library, as the solver sees them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/indexes.h"
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
    std::string base_image{};              ///< "the base `x`", which has both; else empty
    std::vector<std::string> known_names;  ///< for "did you mean"
    /// Wheels that were uploaded at this time or later do not count, nor do those of which the
    /// index does not tell it.
    std::optional<UtcTime> before{};
  };

  /// Borrows `indexes`.
  PythonSource(Indexes& indexes, Options options);

  Result<solve::CandidateList> candidates(const std::string& name) override;
  Result<solve::Dependencies> dependencies(const solve::Package& package,
                                           const solve::Candidate& candidate) override;
  Result<solve::Selection> select(const std::string& name, const solve::CandidateList& list,
                                  const std::string& constraint) override;
  void prefetch_candidates(const std::string& name) override;
  void prefetch_dependencies(const std::string& name, const solve::Candidate& candidate) override;

  const version::MarkerEnvironment& environment() const { return environment_; }

  /// A file, and the index that has it.
  struct Wheel {
    index::WheelFile file;
    index::SimpleIndex* index = nullptr;
  };
  /// The wheel that stands for a version which `candidates` listed as usable.
  const Wheel* find_wheel(const std::string& name, const std::string& version) const;

 private:
  struct Listed {
    std::vector<version::Version> versions;    ///< in the order of the candidates
    std::map<std::string, Wheel> best_wheels;  ///< by version text, those that fit
  };
  struct VersionFiles;

  Result<solve::CandidateList> given(const char* name, const std::string& version,
                                     std::string reason);
  void add_files(const PackageHome& home, const index::ProjectPage& page,
                 std::map<version::Version, VersionFiles>& versions) const;
  solve::Candidate make_candidate(const VersionFiles& files) const;

  Indexes& indexes_;
  Options options_;
  version::TagSet tags_;
  version::TagSet tags_of_any_glibc_;
  version::MarkerEnvironment environment_;
  std::map<std::string, Listed> listed_;
};

/// The names under which the interpreter and the C library enter the solve. No package of an index
/// has a capital in its normal name (PEP 503), or is called `python`.
inline constexpr const char* kPythonPackage = "python";
inline constexpr const char* kGlibcPackage = "GLIBC";

}  // namespace slipway::plan
