// What a Debian archive sends: Release, Packages, and the relations in them.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "index/debian_text.h"

using namespace slipway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto release = index::parse_release(text);
  if (release.ok()) static_cast<void>(index::check_release(*release, "bookworm", 0).ok());
  static_cast<void>(index::parse_release_date(text).ok());
  const auto count = [](const std::vector<index::Relation>& alternatives) {
    for (const index::Relation& each : alternatives) SLIPWAY_CHECK(!each.name.empty());
  };
  index::parse_relations(text, count);
  index::PackageStanza stanza;
  for (std::string_view rest = text; index::next_package(rest, stanza);) {
    SLIPWAY_CHECK(rest.size() < size);
    index::parse_relations(stanza.depends, count);
  }
  return 0;
}
