#include "spec/requirement_check.h"

#include "spec/project.h"
#include "version/requirement.h"

namespace slipway::spec {

std::optional<Fault> check_requirement(std::string_view text) {
  const Result<version::Requirement> requirement = version::parse_requirement(text);
  if (!requirement.ok()) {
    const Error& error = requirement.error();
    return Fault{error.message, error.hints.empty()
                                    ? "write it like `torch==2.6.0` or `pandas>=2,<3`"
                                    : error.hints.front()};
  }
  if (requirement->url) {
    return Fault{fmt::format("`{}` names a file, which is not supported yet by this version", text),
                 "name a package of the index, like `torch==2.6.0`", ErrorKind::Unsupported};
  }
  return std::nullopt;
}

std::optional<Fault> check_driver(std::string_view text) {
  if (text == kThisHost) return std::nullopt;
  const Result<version::SpecifierSet> versions = version::SpecifierSet::parse(text);
  if (versions.ok() && !versions->empty()) return std::nullopt;
  return Fault{fmt::format("`{}` says no driver versions", text),
               "write it like `>=525`, or `this host`"};
}

}  // namespace slipway::spec
