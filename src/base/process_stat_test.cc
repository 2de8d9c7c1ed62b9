#include "base/process_stat.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

#include "base/file.h"

using namespace slipway;

TEST_CASE("fields are counted behind a name that may hold anything") {
  const char* const line = "7 (a ) 5 (b) S 1 7 7 0 -1";
  CHECK(process_stat_field(line, 3) == "S");
  CHECK(process_stat_field(line, 4) == "1");
  CHECK(process_stat_field(line, 8) == "-1");
  CHECK(process_stat_field(line, 9).empty());
  CHECK(process_stat_field("", 3).empty());
}

TEST_CASE("a line of the status is found by its whole name") {
  const char* const status =
      "Name:\tSigPnd:\t1\nSigP:\t2\nSigPnd:\t0000000000000100\nEmpty:\t\nLast:\t3";
  CHECK(process_status_field(status, "SigPnd") == "0000000000000100");
  CHECK(process_status_field(status, "Name") == "SigPnd:\t1");
  CHECK(process_status_field(status, "Empty").empty());
  CHECK(process_status_field(status, "Last") == "3");
  CHECK(process_status_field(status, "Sig").empty());
  CHECK(process_status_field("", "Sig").empty());
}

TEST_CASE("both are as the kernel writes them") {
  CHECK(process_stat_field(read_file("/proc/self/stat").value(), 4) == std::to_string(::getppid()));
  CHECK(process_status_field(read_file("/proc/self/status").value(), "PPid") ==
        std::to_string(::getppid()));
}
