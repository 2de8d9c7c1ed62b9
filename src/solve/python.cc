#include "solve/python.h"

#include <algorithm>

namespace slipway::solve {
namespace {

bool applies(const version::Requirement& requirement, const version::MarkerEnvironment& environment,
             const std::string& extra) {
  if (!requirement.marker) return extra.empty();
  const bool without = requirement.marker->evaluate(environment, {});
  if (extra.empty()) return without;
  return !without && requirement.marker->evaluate(environment, std::span(&extra, 1));
}

bool is_build(const version::Version& version) {
  if (!version.has_local()) return false;
  const std::string& name = version.local().front();
  return name == "cpu" || (name.starts_with("cu") && name.size() > 2 &&
                           name.find_first_not_of("0123456789", 2) == std::string::npos);
}

}  // namespace

bool is_tried_before(const version::Version& a, const version::Version& b) {
  const version::Version a_public = a.without_local();
  const version::Version b_public = b.without_local();
  if (a_public != b_public) return a_public > b_public;
  if (is_build(a) != is_build(b)) return !is_build(a);
  return a > b;
}

Selection select_versions(const version::SpecifierSet& specifiers,
                          std::span<const version::Version> versions) {
  Selection selection;
  for (const version::Version& version : versions) {
    selection.matches.push_back(specifiers.contains(version));
  }
  // `<2.0.dev0` keeps the pre-releases of 2.0 out; it asks for none.
  selection.wants_prereleases = std::any_of(
      specifiers.clauses().begin(), specifiers.clauses().end(),
      [](const version::Specifier& clause) {
        return clause.comparison() != version::Comparison::Less && clause.mentions_prerelease();
      });
  selection.is_pin = specifiers.is_pin();
  return selection;
}

Result<std::vector<Requirement>> applicable_requirements(
    std::span<const version::Requirement> requirements,
    const version::MarkerEnvironment& environment, const std::string& extra) {
  std::vector<Requirement> result;
  for (const version::Requirement& requirement : requirements) {
    if (!applies(requirement, environment, extra)) continue;
    if (requirement.url) {
      return make_error(ErrorKind::Unsupported, "`{}` is a URL, not a version in an index",
                        requirement.text());
    }
    const std::string constraint = requirement.specifiers.text();
    result.push_back({{requirement.name.text(), ""}, constraint});
    for (const std::string& each : requirement.extras) {
      result.push_back({{requirement.name.text(), each}, constraint});
    }
  }
  return result;
}

}  // namespace slipway::solve
