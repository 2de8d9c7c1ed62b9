#include "index/core_metadata.h"

#include <doctest/doctest.h>

namespace slipway::index {

TEST_CASE("METADATA: the fields that matter, folded or not, and nothing from the body") {
  const auto parsed = parse_core_metadata(
      "Metadata-Version: 2.1\r\n"
      "Name: torch\r\n"
      "version:2.6.0\n"
      "Summary: Tensors\n"
      "\tand more\n"
      "License: BSD\n"
      "        Requires-Dist: not-this\n"
      "Requires-Python: >=3.9.0\n"
      "Requires-Dist: filelock\n"
      "REQUIRES-DIST: nvidia-cudnn-cu12==9.1.0.70;\n"
      "  platform_system == \"Linux\"\n"
      "Provides-Extra: opt-einsum\n"
      "no colon here\n"
      "Requires-Dist:\n"
      "\n"
      "Requires-Dist: in-the-description\n");
  REQUIRE(parsed.ok());
  CoreMetadata expected{"torch",
                        "2.6.0",
                        {"filelock", "nvidia-cudnn-cu12==9.1.0.70; platform_system == \"Linux\""},
                        ">=3.9.0",
                        {"opt-einsum"}};
  expected.summary = "Tensors and more";
  expected.licence = "BSD\nRequires-Dist: not-this";
  CHECK(parsed.value() == expected);
}

TEST_CASE("what a bill of materials tells of a package") {
  const auto parsed = parse_core_metadata(
      "Name: a\nVersion: 1\nSummary: does a thing\nAuthor-email: Me <me@here>\n"
      "Project-URL: Source, src\nProject-URL: Homepage, home\nLicense: Copyright me\n"
      "        All rights.\n\tReally.\nLicense-Expression: MIT\n"
      "Classifier: Topic :: X\nClassifier: License :: OSI Approved :: MIT License\n\nbody");
  REQUIRE(parsed.ok());
  CHECK(parsed->summary == "does a thing");
  CHECK(parsed->author == "Me <me@here>");
  CHECK(parsed->homepage == "home");
  CHECK(parsed->licence == "Copyright me\nAll rights.\nReally.");
  CHECK(parsed->licence_expression == "MIT");
  CHECK(parsed->classifiers == std::vector<std::string>{"License :: OSI Approved :: MIT License"});
}

TEST_CASE("METADATA that is none is Corrupt") {
  for (const char* text : {"", "\n", "Name: a\n", "Version: 1\n", "\n\nName: a\nVersion: 1\n",
                           "<html>", ":::", "Name:\nVersion: 1\n"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_core_metadata(text).ok());
    CHECK(parse_core_metadata(text).error().kind == ErrorKind::Corrupt);
  }
  CHECK(parse_core_metadata("\xef\xbb\xbfName: a\nVersion: 1").ok());
}

}  // namespace slipway::index
