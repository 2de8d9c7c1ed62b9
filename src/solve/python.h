/// What a PackageSource over Python packages needs between `version` and `solve`. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "solve/package_source.h"
#include "version/marker.h"
#include "version/requirement.h"
#include "version/specifier.h"

namespace slipway::solve {

/// The order in which versions are tried of a package that is published once for each CUDA: newest
/// first, but of one public version the builds (+cu126, +cpu) come after the plain one, the newest
/// CUDA first. Where there are no such builds it is PEP 440's. A strict weak order.
bool is_tried_before(const version::Version& a, const version::Version& b);

/// PackageSource::select for PEP 440 versions, in the order of the list.
Selection select_versions(const version::SpecifierSet& specifiers,
                          std::span<const version::Version> versions);

/// The requirements that apply on the target. `extra` empty: those of the package itself; else
/// those that the extra adds. A requirement `x[a,b]>=1` becomes `x>=1`, `x[a]>=1` and `x[b]>=1`.
/// Fails with Unsupported for `name @ url`: only indexes have candidates.
Result<std::vector<Requirement>> applicable_requirements(
    std::span<const version::Requirement> requirements,
    const version::MarkerEnvironment& environment, const std::string& extra);

}  // namespace slipway::solve
