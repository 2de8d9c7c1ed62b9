// Requirements and markers: whatever is read must be read again from its normal form.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "version/lenient.h"
#include "version/python_target.h"
#include "version/requirement.h"

using namespace slipway::version;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto requirement = parse_requirement(text);
  if (requirement) {
    const auto again = parse_requirement(requirement->text());
    SLIPWAY_CHECK(again.ok() && again->text() == requirement->text());
  }
  const auto old = parse_old_requirement(text);
  SLIPWAY_CHECK(old.ok() || !requirement.ok());
  const std::string mended = mend_specifiers(text);
  SLIPWAY_CHECK(mend_specifiers(mended) == mended);
  const auto marker = Marker::parse(text);
  if (marker) {
    const auto again = Marker::parse(marker->text());
    SLIPWAY_CHECK(again.ok() && *again == *marker);
    const MarkerEnvironment environment = marker_environment({}, "3.11.2");
    SLIPWAY_CHECK(marker->evaluate(environment, {}) == again->evaluate(environment, {}));
  }
  return 0;
}
