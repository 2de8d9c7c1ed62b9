/// What may be done with a package, as far as the package itself says so. Pure.
///
/// Nothing here guesses: a word that means exactly one licence of the SPDX list becomes its
/// identifier; any other is named by a LicenseRef with the words that the package used (SPDX 2.3,
/// annex D). Without any words there is no licence: "no assertion".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::sbom {

struct Licence {
  std::string expression;                    ///< SPDX; empty: nothing is known
  std::map<std::string, std::string> texts;  ///< of each LicenseRef in it
  bool operator==(const Licence&) const = default;
};

/// The SPDX expression in its normal spelling (identifiers as listed, AND, OR, WITH, only the
/// parentheses that are needed); nothing where it is none, or names what the list does not have.
/// LicenseRefs pass.
std::optional<std::string> normalise_expression(std::string_view text);

/// `MIT` for `mit`; nothing where the list has no such identifier.
std::optional<std::string> find_licence_id(std::string_view text);

/// A licence that the list does not have: its LicenseRef is made of `name`, and of the text where
/// the name alone does not say all. A long text stands in for a name that is empty.
Licence make_licence_ref(std::string_view name, std::string_view text);

/// All hold: sorted, each once. One that is empty does not count.
Licence all_of(std::vector<Licence> licences);

/// Of core metadata: License-Expression (PEP 639), else License and the classifiers.
struct PythonLicenceWords {
  std::string expression, licence;
  std::vector<std::string> classifiers;  ///< those that begin with `License ::`
};
Licence licence_of_python(const PythonLicenceWords& words);

/// Of debian/copyright in its machine-readable form (copyright-format 1.0): what its License fields
/// name, and the texts that stand below some of the names. All of them hold, since each is said of
/// a part of the files.
struct DebianLicenceWords {
  std::vector<std::string> names;            ///< `GPL-2+`, `GPL-1+ or Artistic, and Expat`
  std::map<std::string, std::string> texts;  ///< by single name
};
Licence licence_of_debian(const DebianLicenceWords& words);

}  // namespace slipway::sbom
