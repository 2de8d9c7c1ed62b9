/// Package URLs: `pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64&distro=debian-12`. The purl
/// specification (ECMA-427). Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace slipway::sbom {

struct PackageUrl {
  std::string type;        ///< `pypi`, `deb`, `oci`
  std::string name_space;  ///< `debian`; may be empty
  std::string name;
  std::string version;                            ///< may be empty
  std::map<std::string, std::string> qualifiers;  ///< empty values are left out
};

std::string package_url(const PackageUrl& url);

}  // namespace slipway::sbom
