#include "plan/python_source.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/nearest.h"
#include "solve/python.h"
#include "version/lenient.h"

namespace slipway::plan {
namespace {

// Tags name the C library's version only here: PEP 600.
constexpr std::string_view kManylinux = "manylinux_2_";
constexpr int kAnyGlibc = 99;

version::PythonTarget with_any_glibc(version::PythonTarget target) {
  target.glibc_minor = kAnyGlibc;
  return target;
}

/// The lowest glibc 2.MINOR that a tag of the wheel asks for; kAnyGlibc where none says.
int glibc_minor_of(const version::WheelFileName& wheel) {
  int lowest = kAnyGlibc;
  for (std::string_view platform : wheel.platforms) {
    if (!platform.starts_with(kManylinux)) continue;
    platform.remove_prefix(kManylinux.size());
    int minor = 0;
    const auto end = std::from_chars(platform.begin(), platform.end(), minor);
    if (end.ec == std::errc()) lowest = std::min(lowest, minor);
  }
  return lowest;
}

/// A build for one CUDA is taken from the folder of that CUDA.
bool is_of_build(const version::Version& version, const std::string& build) {
  return build.empty() || (version.local().size() == 1 && version.local().front() == build);
}

}  // namespace

/// The files of one version, and the best of those that fit the target.
struct PythonSource::VersionFiles {
  version::Version version;
  std::optional<Wheel> best;
  int best_rank = 0;
  std::optional<version::BuildTag> best_build;
  bool all_yanked = true;
  bool fits = false;                   ///< some wheel does, usable or not
  bool in_time = false;                ///< some wheel was uploaded before the cut-off
  bool is_dated = false;               ///< the index tells when some wheel was uploaded
  int lowest_glibc_minor = kAnyGlibc;  ///< of wheels that only the C library keeps out
  std::string yanked_reason;
  std::string requires_python;

  /// A file that is not yanked wins over one that is, then the better tag, then the higher build.
  bool prefers(const index::WheelFile& wheel, int rank,
               const std::optional<version::BuildTag>& build) const {
    if (!best) return true;
    if (wheel.is_yanked != best->file.is_yanked) return !wheel.is_yanked;
    if (rank != best_rank) return rank < best_rank;
    return build > best_build;
  }
};

PythonSource::PythonSource(Indexes& indexes, Options options)
    : indexes_(indexes),
      options_(std::move(options)),
      tags_(version::TagSet::for_target(options_.target)),
      tags_of_any_glibc_(version::TagSet::for_target(with_any_glibc(options_.target))),
      environment_(version::marker_environment(options_.target, options_.python_version)) {}

Result<solve::CandidateList> PythonSource::given(const char* name, const std::string& version,
                                                 std::string reason) {
  solve::CandidateList list;
  list.given = std::move(reason);
  list.candidates.push_back({version, false, false, "", "", {}});
  listed_[name].versions = {TRY(version::Version::parse(version))};
  return list;
}

void PythonSource::add_files(const PackageHome& home, const index::ProjectPage& page,
                             std::map<version::Version, VersionFiles>& versions) const {
  for (const index::WheelFile& wheel : page.wheels) {
    const auto name = version::parse_wheel_file_name(wheel.file_name);
    if (!name.ok()) continue;  // old indexes hold files that no tool of today can name
    if (!is_of_build(name->version, home.build)) continue;
    VersionFiles& files = versions[name->version];
    files.version = name->version;
    if (wheel.is_yanked && files.yanked_reason.empty()) files.yanked_reason = wheel.yanked_reason;
    files.is_dated = files.is_dated || wheel.uploaded;
    if (options_.before && !(wheel.uploaded && *wheel.uploaded < *options_.before)) continue;
    files.in_time = true;
    const std::optional<int> rank = tags_.rank(name.value());
    if (!rank && tags_of_any_glibc_.rank(name.value())) {
      files.lowest_glibc_minor = std::min(files.lowest_glibc_minor, glibc_minor_of(name.value()));
    }
    if (!rank) continue;
    files.fits = true;
    if (!wheel.sha256 || !wheel.size_bytes) continue;
    files.all_yanked = files.all_yanked && wheel.is_yanked;
    if (files.prefers(wheel, *rank, name->build)) {
      files.best = Wheel{wheel, home.index};
      files.best_rank = *rank;
      files.best_build = name->build;
      files.requires_python = wheel.requires_python;
    }
  }
}

solve::Candidate PythonSource::make_candidate(const VersionFiles& files) const {
  const version::PythonTarget& target = options_.target;
  solve::Candidate candidate;
  candidate.version = files.version.text();
  candidate.is_prerelease = files.version.is_prerelease();
  candidate.is_yanked = files.best && files.all_yanked;
  candidate.yanked_reason = files.yanked_reason;
  if (!files.in_time) {
    candidate.unusable = files.is_dated
                             ? "was not uploaded before " + utc_time_text(*options_.before)
                             : "has no upload time at its index, which `--before` needs";
  } else if (!files.fits && files.lowest_glibc_minor != kAnyGlibc) {
    const std::string glibc = fmt::format("2.{}", files.lowest_glibc_minor);
    candidate.requirements.push_back(
        {{kGlibcPackage, ""}, ">=" + glibc, "glibc " + glibc + " or newer"});
  } else if (!files.fits) {
    candidate.unusable =
        fmt::format("has no wheel for Python {}.{} on {} with glibc {}.{}", target.major,
                    target.minor, target.architecture, target.glibc_major, target.glibc_minor);
    if (!options_.base_image.empty()) {
      candidate.unusable += fmt::format(", which {} has", options_.base_image);
    }
  } else if (!files.best) {
    candidate.unusable = "has no wheel whose sha256 and size the index tells";
  } else if (!files.requires_python.empty()) {
    candidate.requirements.push_back(
        {{kPythonPackage, ""}, version::mend_specifiers(files.requires_python)});
  }
  return candidate;
}

Result<solve::CandidateList> PythonSource::candidates(const std::string& name) {
  if (name == kPythonPackage) {
    return given(kPythonPackage, options_.python_version, options_.python_given);
  }
  if (name == kGlibcPackage) {
    const bool has_image = !options_.base_image.empty();
    const std::string glibc =
        fmt::format("{}.{}", options_.target.glibc_major, options_.target.glibc_minor);
    return given(
        kGlibcPackage, glibc,
        fmt::format("{} has glibc {}", has_image ? options_.base_image : "the target", glibc));
  }
  const version::PackageName package = TRY(version::PackageName::parse(name));
  std::map<version::Version, VersionFiles> versions;
  bool is_known = false, has_wheels = false, has_other_files = false;
  const std::vector<PackageHome> homes = TRY(indexes_.homes(package));
  for (const PackageHome& home : homes) {
    const Result<index::PagePointer> page = home.index->fetch_project(package);
    if (!page.ok() && page.error().kind != ErrorKind::NotFound) return page.error();
    if (!page.ok()) continue;
    is_known = true;
    has_wheels = has_wheels || !page.value()->wheels.empty();
    has_other_files = has_other_files || page.value()->has_other_files;
    add_files(home, *page.value(), versions);
  }
  std::vector<const VersionFiles*> order;
  for (const auto& [version, files] : versions) order.push_back(&files);
  const bool has_builds =
      std::ranges::any_of(homes, [](const PackageHome& home) { return !home.build.empty(); });
  std::ranges::sort(order, [&](const VersionFiles* a, const VersionFiles* b) {
    return has_builds ? solve::is_tried_before(a->version, b->version) : a->version > b->version;
  });
  solve::CandidateList list;
  Listed& listed = listed_[name];
  for (const VersionFiles* files : order) {
    solve::Candidate candidate = make_candidate(*files);
    listed.versions.push_back(files->version);
    if (files->best) listed.best_wheels.emplace(candidate.version, *files->best);
    list.candidates.push_back(std::move(candidate));
  }
  if (!is_known) {
    list.missing =
        fmt::format("there is no package `{}` at `{}`", name, homes.front().index->name());
    const auto nearest = find_nearest(name, options_.known_names);
    if (!nearest.empty()) list.missing += "; " + did_you_mean(nearest);
  } else if (list.candidates.empty()) {
    list.missing = fmt::format("`{}` has {}", name,
                               has_wheels        ? "no wheel whose name can be read"
                               : has_other_files ? "source distributions only, and no wheel"
                                                 : "no files");
  }
  return list;
}

const PythonSource::Wheel* PythonSource::find_wheel(const std::string& name,
                                                    const std::string& version) const {
  const auto listed = listed_.find(name);
  if (listed == listed_.end()) return nullptr;
  const auto wheel = listed->second.best_wheels.find(version);
  return wheel == listed->second.best_wheels.end() ? nullptr : &wheel->second;
}

Result<solve::Dependencies> PythonSource::dependencies(const solve::Package& package,
                                                       const solve::Candidate& candidate) {
  solve::Dependencies dependencies;
  const Wheel* wheel = find_wheel(package.name, candidate.version);
  if (wheel == nullptr) return dependencies;  // a fact of the target
  const Result<index::MetadataPointer> metadata = wheel->index->fetch_metadata(wheel->file);
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
  const auto package = version::PackageName::parse(name);
  if (name == kPythonPackage || name == kGlibcPackage || !package.ok()) return;
  const auto homes = indexes_.possible_homes(package.value());
  if (!homes.ok()) return;
  for (const PackageHome& home : homes.value()) (void)home.index->prefetch_project(package.value());
}

void PythonSource::prefetch_dependencies(const std::string& name,
                                         const solve::Candidate& candidate) {
  if (const Wheel* wheel = find_wheel(name, candidate.version)) {
    (void)wheel->index->prefetch_metadata(wheel->file);
  }
}

}  // namespace slipway::plan
