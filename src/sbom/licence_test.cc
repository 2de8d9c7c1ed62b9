#include "sbom/licence.h"

#include <doctest/doctest.h>

namespace slipway::sbom {
namespace {

TEST_CASE("expressions of SPDX, in their normal spelling") {
  const std::pair<const char*, const char*> cases[] = {
      {"MIT", "MIT"},
      {"mit", "MIT"},
      {"apache-2.0 or bsd-2-clause", "Apache-2.0 OR BSD-2-Clause"},
      {"(MIT)", "MIT"},
      {"(MIT OR ISC) AND Zlib", "(MIT OR ISC) AND Zlib"},
      {"(MIT AND ISC) OR Zlib", "MIT AND ISC OR Zlib"},
      {"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"},
      {"LGPL-2.1+", "LGPL-2.1+"},
      {"EPL-1.0+", "EPL-1.0+"},
      {"LicenseRef-Proprietary", "LicenseRef-Proprietary"},
      {"", nullptr},
      {"MIT License", nullptr},
      {"MIT OR", nullptr},
      {"OR MIT", nullptr},
      {"(MIT", nullptr},
      {"MIT)", nullptr},
      {"MIT ISC", nullptr},
      {"MIT WITH nothing", nullptr},
      {"MIT/ISC", nullptr},
      {"BSD", nullptr},
      {"LicenseRef-", nullptr},
  };
  for (const auto& [text, normal] : cases) {
    CAPTURE(text);
    const auto found = normalise_expression(text);
    CHECK(found.has_value() == (normal != nullptr));
    if (found && normal != nullptr) CHECK(*found == normal);
    if (found) CHECK(normalise_expression(*found) == *found);
  }
  CHECK(!normalise_expression(std::string(5000, '(')));
  CHECK(!normalise_expression(std::string(100, '(') + "MIT" + std::string(100, ')')));
}

TEST_CASE("what Python packages say") {
  struct Case {
    PythonLicenceWords words;
    std::string expression;
  };
  const std::string osi = "License :: OSI Approved :: ";
  const Case cases[] = {
      {{"BSD-3-Clause AND 0BSD", "whatever", {}}, "BSD-3-Clause AND 0BSD"},
      {{"", "Apache-2.0", {}}, "Apache-2.0"},
      {{"", "BSD  3-Clause License", {}}, "BSD-3-Clause"},
      {{"", "", {osi + "MIT License"}}, "MIT"},
      {{"", "UNKNOWN", {osi + "ISC License (ISCL)"}}, "ISC"},
      {{"", "see the file", {"License :: OSI Approved", osi + "MIT License"}}, "MIT"},
      {{"", "", {}}, ""},
      {{"", "UNKNOWN", {}}, ""},
      {{"", "LicenseRef-Own", {}}, "LicenseRef-Own"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.expression);
    CHECK(licence_of_python(one.words).expression == one.expression);
  }
  CHECK(licence_of_python({"", "LicenseRef-Own", {}}).texts.contains("LicenseRef-Own"));
}

TEST_CASE("words that may mean several licences stay words") {
  for (const PythonLicenceWords& words :
       std::vector<PythonLicenceWords>{{"", "BSD", {}},
                                       {"", "", {"License :: OSI Approved :: BSD License"}},
                                       {"",
                                        "",
                                        {"License :: OSI Approved :: MIT License",
                                         "License :: OSI Approved :: Apache Software License"}},
                                       {"", "Apache Software License", {}},
                                       {"", "", {"License :: Other/Proprietary License"}},
                                       {"", std::string(300, 'x') + "\nfull text", {}},
                                       {"no such licence", "", {}},
                                       {"", "\xff\xfe", {}}}) {
    CAPTURE(words.licence);
    const Licence licence = licence_of_python(words);
    CHECK(licence.expression.starts_with("LicenseRef-"));
    REQUIRE(licence.texts.size() == 1);
    CHECK(licence.texts.begin()->first == licence.expression);
    CHECK(normalise_expression(licence.expression) == licence.expression);
  }
  CHECK(licence_of_python({"", "a b", {}}) != licence_of_python({"", "a-b", {}}));
}

TEST_CASE("what Debian's copyright files say") {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{"GPL-2+"}, "GPL-2.0-or-later"},
      {{"GPL-2"}, "GPL-2.0-only"},
      {{"LGPL-2.1+", "LGPL-2.1+"}, "LGPL-2.1-or-later"},
      {{"GPL-2.0+"}, "GPL-2.0-or-later"},
      {{"GFDL-NIV-1.3+"}, "GFDL-1.3-no-invariants-or-later"},
      {{"Expat"}, "MIT"},
      {{"Apache-2"}, "Apache-2.0"},
      {{"zlib", "BSD-3-clause"}, "BSD-3-Clause AND Zlib"},
      {{"LGPL-3+ or GPL-2+"}, "LGPL-3.0-or-later OR GPL-2.0-or-later"},
      {{"LGPL-3+ or GPL-2+", "Expat"}, "(LGPL-3.0-or-later OR GPL-2.0-or-later) AND MIT"},
      {{"GPL-2 or Expat and ISC"}, "GPL-2.0-only OR ISC AND MIT"},
      {{"GPL-2 or Expat, and ISC"}, "(GPL-2.0-only OR MIT) AND ISC"},
      {{"ISC, and Expat", "Expat", "ISC and Expat"}, "ISC AND MIT"},
      {{""}, ""},
      {{}, ""},
  };
  for (const auto& [names, expression] : cases) {
    CAPTURE(expression);
    CHECK(licence_of_debian({names, {}}).expression == expression);
  }
  for (const char* name : {"GPL", "Artistic", "public-domain", "GPL-2+ with Libtool exception",
                           "GPL-2 and", "a, b", "GPL-9+"}) {
    CAPTURE(name);
    const Licence licence = licence_of_debian({{name}, {}});
    CHECK(licence.expression.find("LicenseRef-") != std::string::npos);
    CHECK(normalise_expression(licence.expression));
  }
  const Licence with_text = licence_of_debian({{"curious or Expat"}, {{"curious", "do it"}}});
  REQUIRE(with_text.texts.size() == 1);
  CHECK(with_text.texts.begin()->second == "do it");
}

}  // namespace
}  // namespace slipway::sbom
