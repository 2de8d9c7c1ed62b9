#include <algorithm>
#include <array>
#include <map>

#include "sbom/licence.h"

namespace slipway::sbom {
namespace {

constexpr std::size_t kLongestName = 80;

struct Spelling {
  std::string_view words, id;
};

/// What authors write into License that means exactly one licence. Not here, because they may mean
/// several: BSD, GPL, Apache, PSF, "BSD License".
constexpr auto kSpellings = std::to_array<Spelling>({
    {"2-clause bsd license", "BSD-2-Clause"},
    {"3-clause bsd license", "BSD-3-Clause"},
    {"apache 2", "Apache-2.0"},
    {"apache 2.0", "Apache-2.0"},
    {"apache 2.0 license", "Apache-2.0"},
    {"apache license 2.0", "Apache-2.0"},
    {"apache license, version 2.0", "Apache-2.0"},
    {"apache license version 2.0", "Apache-2.0"},
    {"bsd 2-clause", "BSD-2-Clause"},
    {"bsd 2-clause license", "BSD-2-Clause"},
    {"bsd 3-clause", "BSD-3-Clause"},
    {"bsd 3-clause license", "BSD-3-Clause"},
    {"bsd-2-clause license", "BSD-2-Clause"},
    {"bsd-3-clause license", "BSD-3-Clause"},
    {"isc license", "ISC"},
    {"isc license (iscl)", "ISC"},
    {"mit license", "MIT"},
    {"mozilla public license 2.0", "MPL-2.0"},
    {"mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"},
    {"mpl 2.0", "MPL-2.0"},
    {"new bsd license", "BSD-3-Clause"},
    {"simplified bsd license", "BSD-2-Clause"},
    {"the mit license", "MIT"},
    {"the mit license (mit)", "MIT"},
    {"the unlicense (unlicense)", "Unlicense"},
});

/// The classifiers that mean exactly one licence, by their last part.
constexpr auto kClassifiers = std::to_array<Spelling>({
    {"boost software license 1.0 (bsl-1.0)", "BSL-1.0"},
    {"cc0 1.0 universal (cc0 1.0) public domain dedication", "CC0-1.0"},
    {"eclipse public license 2.0 (epl-2.0)", "EPL-2.0"},
    {"gnu affero general public license v3", "AGPL-3.0-only"},
    {"gnu affero general public license v3 or later (agplv3+)", "AGPL-3.0-or-later"},
    {"gnu general public license v2 (gplv2)", "GPL-2.0-only"},
    {"gnu general public license v2 or later (gplv2+)", "GPL-2.0-or-later"},
    {"gnu general public license v3 (gplv3)", "GPL-3.0-only"},
    {"gnu general public license v3 or later (gplv3+)", "GPL-3.0-or-later"},
    {"gnu lesser general public license v3 (lgplv3)", "LGPL-3.0-only"},
    {"gnu lesser general public license v3 or later (lgplv3+)", "LGPL-3.0-or-later"},
    {"isc license (iscl)", "ISC"},
    {"mit license", "MIT"},
    {"mit no attribution license (mit-0)", "MIT-0"},
    {"mozilla public license 1.1 (mpl 1.1)", "MPL-1.1"},
    {"mozilla public license 2.0 (mpl 2.0)", "MPL-2.0"},
    {"the unlicense (unlicense)", "Unlicense"},
    {"zero-clause bsd (0bsd)", "0BSD"},
});

std::string normal_words(std::string_view text) {
  std::string words;
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (is_blank && (words.empty() || words.back() == ' ')) continue;
    words += is_blank ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  while (words.ends_with(' ')) words.pop_back();
  return words;
}

template <std::size_t n>
std::string find_spelling(const std::array<Spelling, n>& table, std::string_view text) {
  const auto found = std::ranges::find(table, normal_words(text), &Spelling::words);
  return found == table.end() ? std::string() : std::string(found->id);
}

std::string_view last_part(std::string_view classifier) {
  const std::size_t colons = classifier.rfind(":: ");
  return colons == std::string_view::npos ? classifier : classifier.substr(colons + 3);
}

Licence from_classifiers(const std::vector<std::string>& classifiers) {
  std::vector<Licence> known;
  std::string unknown;
  for (const std::string& classifier : classifiers) {
    const std::string_view name = last_part(classifier);
    if (name == "OSI Approved" || name == "License") continue;  // says nothing
    const std::string id = find_spelling(kClassifiers, name);
    if (!id.empty()) {
      known.push_back({id, {}});
    } else {
      unknown += (unknown.empty() ? "" : "; ") + std::string(name);
    }
  }
  // Several may be a choice, or all hold: the words are all that is sure.
  if (known.size() == 1 && unknown.empty()) return known.front();
  for (const Licence& one : known) unknown += (unknown.empty() ? "" : "; ") + one.expression;
  return unknown.empty() ? Licence() : make_licence_ref(unknown, "");
}

}  // namespace

Licence licence_of_python(const PythonLicenceWords& words) {
  for (const std::string* text : {&words.expression, &words.licence}) {
    const auto expression = normalise_expression(*text);
    if (!expression) continue;
    Licence licence{*expression, {}};
    // A LicenseRef of the author's own: the document has to say something of it.
    for (std::size_t at = 0; (at = expression->find("LicenseRef-", at)) != std::string::npos;) {
      const std::size_t end = std::min(expression->find_first_of(" )", at), expression->size());
      const std::string ref = expression->substr(at, end - at);
      licence.texts.emplace(ref, "named " + ref + " by the package");
      at = end;
    }
    return licence;
  }
  if (!words.expression.empty()) return make_licence_ref(words.expression, "");
  const std::string spelling = find_spelling(kSpellings, words.licence);
  if (!spelling.empty()) return {spelling, {}};
  const Licence classified = from_classifiers(words.classifiers);
  const bool is_sure = !classified.expression.empty() && classified.texts.empty();
  const std::string said = normal_words(words.licence);
  if (is_sure || said.empty() || said == "unknown") return classified;
  const bool is_name = words.licence.size() <= kLongestName;
  return is_name ? make_licence_ref(words.licence, "") : make_licence_ref("", words.licence);
}

}  // namespace slipway::sbom
