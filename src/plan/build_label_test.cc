#include "plan/build_label.h"

#include <doctest/doctest.h>

namespace slipway::plan {
namespace {

TEST_CASE("local versions of builds") {
  struct Case {
    const char* local;
    BuildLabel label;
  };
  for (const Case& c :
       {Case{"cu126", {"12.6", "", {}}}, Case{"cu12", {"12", "", {}}}, Case{"cpu", {"", "", {}}},
        Case{"cu12torch2.6cxx11abifalse", {"12", "2.6", CxxAbi::Old}},
        Case{"cu13torch2.10cxx11abitrue", {"13", "2.10", CxxAbi::New}},
        Case{"pt26cu124", {"12.4", "2.6", {}}}, Case{"pt210cu128", {"12.8", "2.10", {}}},
        Case{"pt26cpu", {"", "2.6", {}}}, Case{"torch2.6", {"", "2.6", {}}},
        Case{"cu", {"", "", {}}}, Case{"cu1", {"", "", {}}}, Case{"cu1264", {"", "", {}}},
        Case{"cu126x", {"", "", {}}}, Case{"cuda126", {"", "", {}}}, Case{"pt", {"", "", {}}},
        Case{"torch", {"", "", {}}}, Case{"torch2", {"", "", {}}}, Case{"ubuntu1", {"", "", {}}}}) {
    CAPTURE(c.local);
    CHECK(read_build_label(c.local) == c.label);
  }
}

}  // namespace
}  // namespace slipway::plan
