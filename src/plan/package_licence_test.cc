#include "plan/package_licence.h"

#include <doctest/doctest.h>

namespace slipway::plan {
namespace {

TEST_CASE("what METADATA says of changing a package") {
  struct Case {
    std::string metadata, text;
    bool allows;
  };
  const std::string osi = "Classifier: License :: OSI Approved :: ";
  const Case cases[] = {
      // As the wheels themselves have it.
      {"License: BSD-3-Clause\n" + osi + "BSD License\n", "BSD License", true},  // torch 2.6.0
      {"License: BSD\n", "BSD", true},                                           // torchvision
      {osi + "BSD License\n", "BSD License", true},                              // torchaudio
      {osi + "MIT License\n", "MIT License", true},                              // triton
      {"License: NVIDIA Proprietary Software\nClassifier: License :: Other/Proprietary License\n",
       "NVIDIA Proprietary Software", false},  // cuDNN
      {"License: NVIDIA Proprietary Software\n", "NVIDIA Proprietary Software", false},
      {"License-Expression: BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0\n",
       "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", true},  // numpy
      {"License-Expression: (MIT OR apache-2.0) AND ISC\n", "(MIT OR apache-2.0) AND ISC", true},
      {"License-Expression: Apache-2.0 WITH LLVM-exception\n", "Apache-2.0 WITH LLVM-exception",
       false},
      {"License-Expression: MIT OR LicenseRef-Mine\n", "MIT OR LicenseRef-Mine", false},
      {"License-Expression: LicenseRef-NVIDIA-Proprietary\n" + osi + "MIT License\n",
       "LicenseRef-NVIDIA-Proprietary", false},
      {"License-Expression: ()\n", "()", false},
      {"License: GPL-3.0\n", "GPL-3.0", false},
      {osi + "MIT License\n" + osi + "GNU General Public License v3 (GPLv3)\n",
       "MIT License, GNU General Public License v3 (GPLv3)", false},
      {osi + "MIT License\nClassifier: License :: Other/Proprietary License\n",
       "MIT License, Other/Proprietary License", false},
      {"License: UNKNOWN\n" + osi + "ISC License (ISCL)\n", "ISC License (ISCL)", true},
      {"License: MIT\nClassifier: License :: OSI Approved\n", "MIT", true},
      {"License: Copyright (c) 2015, some project\n        All rights reserved\n",
       "Copyright (c) 2015, some project", false},
      {"License: MIT and more\n", "MIT and more", false},
      {"License: \n", "", false},
      {"Name: x\n\nLicense: MIT\n", "", false},  // in the description
      {"", "", false},
      {"License: MIT\r\n\r\n", "MIT", true},
  };
  for (const Case& one : cases) {
    CAPTURE(one.metadata);
    CHECK(read_licence(one.metadata) == PackageLicence{one.text, one.allows});
  }
}

}  // namespace
}  // namespace slipway::plan
