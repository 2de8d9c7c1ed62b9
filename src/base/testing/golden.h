/// Golden tests: the text that a test expects lies in tests/golden/ and is reviewed as a diff.
/// `make accept` runs the tests with SLIPWAY_ACCEPT=1, which rewrites the files.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "base/environment.h"
#include "base/file.h"

namespace slipway::testing {

inline void check_golden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(SLIPWAY_SOURCE_DIR) + "/tests/golden/" + name;
  CAPTURE(path);
  if (find_environment("SLIPWAY_ACCEPT")) {
    REQUIRE(make_folders(parent_path(path)).ok());
    REQUIRE(write_file(path, actual).ok());
    return;
  }
  const Result<std::string> expected = read_file(path);
  REQUIRE_MESSAGE(expected.ok(), "no golden file: review what `make accept` writes");
  CHECK(*expected == actual);
}

}  // namespace slipway::testing
