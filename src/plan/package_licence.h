/// Whether a package may be changed before it is passed on, by what its METADATA says. Pure.
#pragma once

#include <string>
#include <string_view>

namespace slipway::plan {

struct PackageLicence {
  std::string text;             ///< as METADATA has it, one line; empty: it names none
  bool allows_changes = false;  ///< each licence named is on the list of those that do
  bool operator==(const PackageLicence&) const = default;
};

/// The list (docs/formats/slim.md) holds licences that let everyone pass on changed binaries.
/// License-Expression (PEP 639) is asked first, and must consist of names on the list; else the
/// `License ::` classifiers, all of them; else the License field, in one of its usual spellings.
/// What is not known is not on the list.
PackageLicence read_licence(std::string_view metadata);

}  // namespace slipway::plan
