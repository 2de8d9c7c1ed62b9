#include "solve/testing/memory_source.h"

#include <algorithm>

#include "solve/python.h"
#include "version/lenient.h"

namespace slipway::solve::testing {
namespace {

constexpr const char* kNoWheel = "has no wheel that fits the target";

bool has_fitting_wheel(const version::TagSet& tags, const std::vector<std::string>& wheels) {
  return std::any_of(wheels.begin(), wheels.end(), [&](const std::string& name) {
    const auto wheel = version::parse_wheel_file_name(name);
    return wheel.ok() && tags.rank(*wheel).has_value();
  });
}

}  // namespace

MemorySource::MemorySource(version::PythonTarget target, std::string python_full_version)
    : target_(std::move(target)),
      environment_(version::marker_environment(target_, python_full_version)),
      tags_(version::TagSet::for_target(target_)) {}

Result<void> MemorySource::add(std::string_view name, Release release) {
  const std::string normal = TRY(version::PackageName::parse(name)).text();
  Entry entry{TRY(version::Version::parse(release.version)), std::move(release), {}, ""};
  for (const std::string& text : entry.release.requires_texts) {
    auto requirement = version::parse_old_requirement(text);
    if (requirement.ok()) {
      entry.requirements.push_back(std::move(requirement).value());
    } else {
      entry.release.bad_metadata = "has a requirement that cannot be read: `" + text + "`";
    }
  }
  for (const std::string& wheel : entry.release.wheels) {
    TRY(version::parse_wheel_file_name(wheel));
  }
  if (!entry.release.wheels.empty() && !has_fitting_wheel(tags_, entry.release.wheels)) {
    entry.unusable = kNoWheel;
  }
  std::vector<Entry>& entries = packages_[normal];
  const auto place = std::find_if(entries.begin(), entries.end(), [&](const Entry& each) {
    return has_builds_ ? is_tried_before(entry.version, each.version)
                       : each.version < entry.version;
  });
  entries.insert(place, std::move(entry));
  return {};
}

Result<std::vector<Requirement>> MemorySource::parse(std::string_view requirement) const {
  const version::Requirement parsed = TRY(version::parse_requirement(requirement));
  return applicable_requirements(std::span(&parsed, 1), environment_, "");
}

Result<CandidateList> MemorySource::candidates(const std::string& name) {
  log_.push_back(name);
  CandidateList list;
  if (name == "python") {
    list.given = "the target has Python " + environment_.python_full_version;
    list.candidates.push_back({environment_.python_full_version, false, false, "", "", {}});
    return list;
  }
  const auto found = packages_.find(name);
  if (found == packages_.end()) {
    list.missing = "no index has `" + name + "`";
    return list;
  }
  for (const Entry& entry : found->second) {
    Candidate candidate{entry.version.text(),    entry.version.is_prerelease(),
                        entry.release.is_yanked, entry.release.yanked_reason,
                        entry.unusable,          {}};
    if (!entry.release.requires_python.empty()) {
      candidate.requirements.push_back(
          {{"python", ""}, version::mend_specifiers(entry.release.requires_python)});
    }
    list.candidates.push_back(std::move(candidate));
  }
  return list;
}

const MemorySource::Entry* MemorySource::find(const std::string& name,
                                              const std::string& version) const {
  const auto found = packages_.find(name);
  if (found == packages_.end()) return nullptr;
  for (const Entry& entry : found->second) {
    if (entry.version.text() == version) return &entry;
  }
  return nullptr;
}

Result<Dependencies> MemorySource::dependencies(const Package& package,
                                                const Candidate& candidate) {
  log_.push_back(package.text() + " " + candidate.version);
  Dependencies dependencies;
  const Entry* entry = find(package.name, candidate.version);
  if (entry == nullptr) return dependencies;  // python
  dependencies.unusable = entry->release.bad_metadata;
  auto applicable = applicable_requirements(entry->requirements, environment_, package.extra);
  if (applicable.ok()) {
    dependencies.requirements = std::move(applicable).value();
  } else {
    dependencies.unusable = "cannot be taken: " + applicable.error().message;
  }
  const std::vector<std::string>& extras = entry->release.extras;
  dependencies.is_unknown_extra =
      !package.extra.empty() &&
      std::find(extras.begin(), extras.end(), package.extra) == extras.end();
  return dependencies;
}

Result<Selection> MemorySource::select(const std::string& name, const CandidateList& list,
                                       const std::string& constraint) {
  static_cast<void>(name);
  const auto specifiers = TRY(version::SpecifierSet::parse(constraint));
  std::vector<version::Version> versions;
  for (const Candidate& candidate : list.candidates) {
    versions.push_back(TRY(version::Version::parse(candidate.version)));
  }
  return select_versions(specifiers, versions);
}

void MemorySource::prefetch_candidates(const std::string& name) { hints_.push_back(name); }

void MemorySource::prefetch_dependencies(const std::string& name, const Candidate& candidate) {
  hints_.push_back(name + " " + candidate.version);
}

}  // namespace slipway::solve::testing
