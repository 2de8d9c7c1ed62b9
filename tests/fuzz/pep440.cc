// Versions, specifiers and wheel names: whatever is read must be read again from its normal form,
// and mean the same.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "version/specifier.h"
#include "version/wheel_file_name.h"

using namespace slipway::version;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto version = Version::parse(text);
  if (version) {
    const auto again = Version::parse(version->text());
    SLIPWAY_CHECK(again.ok() && *again == *version && again->text() == version->text());
    SLIPWAY_CHECK(version->first_dev() <= *version && version->without_local() <= *version);
  }
  const auto set = SpecifierSet::parse(text);
  if (set) {
    const auto again = SpecifierSet::parse(set->text());
    SLIPWAY_CHECK(again.ok() && again->text() == set->text());
    for (const Specifier& clause : set->clauses()) clause.contains(*Version::parse("1.0rc1+x"));
  }
  static_cast<void>(parse_wheel_file_name(text).ok());
  return 0;
}
