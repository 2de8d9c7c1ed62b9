#include <doctest/doctest.h>

#include "run/container_view.h"
#include "run/cuda_trial.h"

using namespace slipway;
using namespace slipway::run;

TEST_CASE("lines of mountinfo") {
  const auto mount = parse_mount_line(
      "712 98 0:61 / /dev/shm rw,nosuid,nodev,noexec,relatime master:3 - tmpfs shm rw,size=64k");
  REQUIRE(mount);
  CHECK(mount->id == 712);
  CHECK(mount->place == "/dev/shm");
  CHECK(mount->options == std::vector<std::string>{"rw", "nosuid", "nodev", "noexec", "relatime"});
  CHECK(mount->type == "tmpfs");
  CHECK(mount->details == std::vector<std::string>{"rw", "size=64k"});
  for (const char* text :
       {"", " - ", "a b c d e f - g h i", "1 2 3 / /x", "1 2 3 / /x ro - tmpfs"}) {
    CHECK_FALSE(parse_mount_line(text));
  }
}

TEST_CASE("what the test of CUDA says") {
  struct Row {
    int status;
    const char* output;
    int devices;
    const char* trouble;
    bool could_run;
  };
  for (const Row& row : {
           Row{0, "slipway-cuda ok 2\n", 2, "", true},
           Row{0, "noise\nslipway-cuda ok 1", 1, "", true},
           Row{0, "slipway-cuda ok 0\n", 0, "CUDA starts, and sees no GPU", true},
           Row{0, "slipway-cuda failed: cuInit: no device (100)\n", 0, "cuInit: no device (100)",
               true},
           Row{0, "slipway-cuda f", 0, "f", true},
           Row{127, "", 0, "the test of CUDA ended with status 127", false},
           Row{142, "", 0, "the test of CUDA ended with status 142", true},
           Row{1, "Traceback\nNameError: x\n", 0,
               "the test of CUDA ended with status 1: NameError: x", true},
           Row{0, "", 0, "the test of CUDA ended with status 0", true},
       }) {
    CAPTURE(row.output);
    const CudaTrial test = judge_cuda_trial(row.status, row.output);
    CHECK(test.devices == row.devices);
    CHECK(test.trouble == row.trouble);
    CHECK(test.could_run == row.could_run);
  }
}
