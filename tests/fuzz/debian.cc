// What a Debian archive sends: Release, Packages, and the relations in them; what an image has of
// dpkg and apt: the status file, copyright files, sources and keys.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "index/debian_installed.h"
#include "index/debian_pool.h"
#include "index/debian_text.h"
#include "index/image_sources.h"
#include "sbom/licence.h"

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
  for (const index::InstalledDeb& deb : index::parse_installed_debs(text))
    SLIPWAY_CHECK(!deb.name.empty() && !deb.version.empty());
  const index::DebianCopyright copyright = index::parse_debian_copyright(text);
  const sbom::Licence licence = sbom::licence_of_debian({copyright.licences, copyright.texts});
  SLIPWAY_CHECK(licence.expression.size() > 4096 || licence.expression.empty() ||
                sbom::normalise_expression(licence.expression) == licence.expression);
  index::DebianPool pool("amd64");
  static_cast<void>(pool.add_installed(text).ok());
  const std::string all(text);
  const index::ImageFile files[] = {{"etc/apt/sources.list", all}, {"etc/apt/x.sources", all}};
  for (const index::DebianSource& source :
       index::choose_image_sources("ubuntu", "amd64", files, {})) {
    SLIPWAY_CHECK(source.url.starts_with("http") && !source.name.empty());
    static_cast<void>(index::choose_keys(source.keyring).ok());
  }
  static_cast<void>(index::make_keyring(text).ok());
  return 0;
}
