#include "plan/python_source.h"

#include <algorithm>
#include <optional>

#include "base/nearest.h"
#include "solve/python.h"
#include "version/lenient.h"

namespace slipway::plan {
namespace {

/// The files of one version, and the best of those that fit the target.
struct VersionFiles {
  version::Version version;
  std::optional<index::WheelFile> best;
  int best_rank = 0;
  std::optional<version::BuildTag> best_build;
  bool all_yanked = true;
  bool fits = false;      ///< some wheel does, usable or not
  bool in_time = false;   ///< some wheel was uploaded before the cut-off
  bool is_dated = false;  ///< the index tells when some wheel was uploaded
  std::string yanked_reason;
  std::string requires_python;
};

/// A file that is not yanked wins over one that is, then the better tag, then the higher build.
bool is_better(const index::WheelFile& wheel, int rank,
               const std::optional<version::BuildTag>& build, const VersionFiles& files) {
  if (!files.best) return true;
  if (wheel.is_yanked != files.best->is_yanked) return !wheel.is_yanked;
  if (rank != files.best_rank) return rank < files.best_rank;
  return build > files.best_build;
}

std::string too_late(const VersionFiles& files, UtcTime before) {
  if (files.is_dated) return "was not uploaded before " + utc_time_text(before);
  return "has no upload time at its index, which `--before` needs";
}

solve::Candidate make_candidate(const VersionFiles& files, const PythonSource::Options& options) {
  const version::PythonTarget& target = options.target;
  solve::Candidate candidate;
  candidate.version = files.version.text();
  candidate.is_prerelease = files.version.is_prerelease();
  candidate.is_yanked = files.all_yanked;
  candidate.yanked_reason = files.yanked_reason;
  if (!files.in_time) {
    candidate.unusable = too_late(files, *options.before);
  } else if (!files.fits) {
    candidate.unusable =
        fmt::format("has no wheel for Python {}.{} on {} with glibc {}.{}", target.major,
                    target.minor, target.architecture, target.glibc_major, target.glibc_minor);
  } else if (!files.best) {
    candidate.unusable = "has no wheel whose sha256 and size the index tells";
  } else if (!files.requires_python.empty()) {
    candidate.requirements.push_back(
        {{kPythonPackage, ""}, version::mend_specifiers(files.requires_python)});
  }
  return candidate;
}

}  // namespace

PythonSource::PythonSource(index::SimpleIndex& python, Options options)
    : python_(python),
      options_(std::move(options)),
      tags_(version::TagSet::for_target(options_.target)),
      environment_(version::marker_environment(options_.target, options_.python_version)) {}

Result<solve::CandidateList> PythonSource::python_candidates() {
  solve::CandidateList list;
  list.given = options_.python_given;
  list.candidates.push_back({options_.python_version, false, false, "", "", {}});
  listed_[kPythonPackage].versions = {TRY(version::Version::parse(options_.python_version))};
  return list;
}

solve::CandidateList PythonSource::list_versions(const index::ProjectPage& page,
                                                 Listed& listed) const {
  std::map<version::Version, VersionFiles> by_version;
  for (const index::WheelFile& wheel : page.wheels) {
    const auto name = version::parse_wheel_file_name(wheel.file_name);
    if (!name.ok()) continue;  // old indexes hold files that no tool of today can name
    VersionFiles& files = by_version[name->version];
    files.version = name->version;
    files.is_dated = files.is_dated || wheel.uploaded;
    if (options_.before && !(wheel.uploaded && *wheel.uploaded < *options_.before)) continue;
    files.in_time = true;
    if (wheel.is_yanked && files.yanked_reason.empty()) files.yanked_reason = wheel.yanked_reason;
    const std::optional<int> rank = tags_.rank(name.value());
    if (!rank) continue;
    files.fits = true;
    if (!wheel.sha256 || !wheel.size_bytes) continue;
    files.all_yanked = files.all_yanked && wheel.is_yanked;
    if (is_better(wheel, *rank, name->build, files)) {
      files.best = wheel;
      files.best_rank = *rank;
      files.best_build = name->build;
      files.requires_python = wheel.requires_python;
    }
  }
  solve::CandidateList list;
  for (auto entry = by_version.rbegin(); entry != by_version.rend(); ++entry) {
    VersionFiles& files = entry->second;
    if (!files.best) files.all_yanked = false;
    solve::Candidate candidate = make_candidate(files, options_);
    listed.versions.push_back(files.version);
    if (files.best) listed.best_wheels.emplace(candidate.version, std::move(*files.best));
    list.candidates.push_back(std::move(candidate));
  }
  if (list.candidates.empty()) {
    list.missing = !page.wheels.empty()   ? "`{}` has no wheel whose name can be read"
                   : page.has_other_files ? "`{}` has source distributions only, and no wheel"
                                          : "`{}` has no files";
  }
  return list;
}

Result<solve::CandidateList> PythonSource::candidates(const std::string& name) {
  if (name == kPythonPackage) return python_candidates();
  const version::PackageName package = TRY(version::PackageName::parse(name));
  const Result<index::PagePointer> page = python_.fetch_project(package);
  if (!page.ok()) {
    if (page.error().kind != ErrorKind::NotFound) return page.error();
    solve::CandidateList list;
    list.missing = fmt::format("there is no package `{}` at `{}`", name, python_.name());
    const auto nearest = find_nearest(name, options_.known_names);
    if (!nearest.empty()) list.missing += "; " + did_you_mean(nearest);
    return list;
  }
  solve::CandidateList list = list_versions(*page.value(), listed_[name]);
  if (!list.missing.empty()) list.missing = fmt::format(fmt::runtime(list.missing), name);
  return list;
}

const index::WheelFile* PythonSource::find_wheel(const std::string& name,
                                                 const std::string& version) const {
  const auto listed = listed_.find(name);
  if (listed == listed_.end()) return nullptr;
  const auto wheel = listed->second.best_wheels.find(version);
  return wheel == listed->second.best_wheels.end() ? nullptr : &wheel->second;
}

Result<solve::Dependencies> PythonSource::dependencies(const solve::Package& package,
                                                       const solve::Candidate& candidate) {
  solve::Dependencies dependencies;
  const index::WheelFile* wheel = find_wheel(package.name, candidate.version);
  if (wheel == nullptr) return dependencies;  // the interpreter itself
  const Result<index::MetadataPointer> metadata = python_.fetch_metadata(*wheel);
  if (!metadata.ok()) {
    if (metadata.error().kind != ErrorKind::Corrupt) return metadata.error();
    dependencies.unusable = "has metadata that cannot be read: " + metadata.error().message;
    return dependencies;
  }
  std::vector<version::Requirement> requirements;
  for (const std::string& text : metadata.value()->requires_dist) {
    Result<version::Requirement> requirement = version::parse_old_requirement(text);
    if (!requirement.ok()) {
      const Error& error = requirement.error();
      dependencies.unusable = "has a requirement that cannot be read: " + error.message;
      for (const std::string& reason : error.because) dependencies.unusable += ", " + reason;
      return dependencies;
    }
    requirements.push_back(std::move(requirement).value());
  }
  Result<std::vector<solve::Requirement>> applicable =
      solve::applicable_requirements(requirements, environment_, package.extra);
  if (!applicable.ok()) {
    dependencies.unusable = "cannot be taken: " + applicable.error().message;
    return dependencies;
  }
  dependencies.requirements = std::move(applicable).value();
  if (package.extra.empty() && !metadata.value()->requires_python.empty()) {
    dependencies.requirements.push_back(
        {{kPythonPackage, ""}, version::mend_specifiers(metadata.value()->requires_python)});
  }
  const auto& extras = metadata.value()->provides_extra;
  dependencies.is_unknown_extra =
      !package.extra.empty() && std::ranges::none_of(extras, [&](const std::string& extra) {
        const auto name = version::PackageName::parse(extra);
        return name.ok() && name->text() == package.extra;
      });
  return dependencies;
}

Result<solve::Selection> PythonSource::select(const std::string& name, const solve::CandidateList&,
                                              const std::string& constraint) {
  const std::vector<version::Version>& versions = listed_[name].versions;
  const auto specifiers = version::SpecifierSet::parse(constraint);
  // A Requires-Python that nobody can read is met by no Python: it costs that version only.
  if (!specifiers.ok() && name == kPythonPackage) {
    return solve::Selection{std::vector<bool>(versions.size(), false), false, false};
  }
  return solve::select_versions(TRY(specifiers), versions);
}

void PythonSource::prefetch_candidates(const std::string& name) {
  if (name == kPythonPackage) return;
  const auto package = version::PackageName::parse(name);
  if (package.ok()) (void)python_.prefetch_project(package.value());
}

void PythonSource::prefetch_dependencies(const std::string& name,
                                         const solve::Candidate& candidate) {
  if (const index::WheelFile* wheel = find_wheel(name, candidate.version)) {
    (void)python_.prefetch_metadata(*wheel);
  }
}

}  // namespace slipway::plan
