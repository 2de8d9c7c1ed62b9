// METADATA of a package, and what its requirements say: read or refused, and never a hang.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "index/core_metadata.h"
#include "sbom/licence.h"
#include "version/lenient.h"
#include "version/python_target.h"

using namespace slipway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto metadata = index::parse_core_metadata(text);
  if (!metadata.ok()) return 0;
  SLIPWAY_CHECK(!metadata->name.empty() && !metadata->version.empty());
  const version::MarkerEnvironment environment = version::marker_environment({}, "3.11.2");
  for (const std::string& line : metadata->requires_dist) {
    const auto requirement = version::parse_old_requirement(line);
    if (!requirement.ok()) continue;
    const auto again = version::parse_requirement(requirement->text());
    SLIPWAY_CHECK(again.ok() && again->text() == requirement->text());
    if (requirement->marker) requirement->marker->evaluate(environment, metadata->provides_extra);
  }
  const sbom::Licence licence = sbom::licence_of_python(
      {metadata->licence_expression, metadata->licence, metadata->classifiers});
  SLIPWAY_CHECK(licence.expression.empty() ||
                sbom::normalise_expression(licence.expression) == licence.expression);
  const std::string python = version::mend_specifiers(metadata->requires_python);
  SLIPWAY_CHECK(version::mend_specifiers(python) == python);
  return 0;
}
