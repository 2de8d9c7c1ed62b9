#include <doctest/doctest.h>

#include "run/container_view.h"
#include "run/cuda_trial.h"
#include "run/several_gpus.h"

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

TEST_CASE("several GPUs") {
  RunRequest request;
  request.driver.gpus = {{"GPU-a", "A"}};
  CHECK(describe_several_gpus(request, 1, 1).facts.empty());
  request.driver.gpus.push_back({"GPU-b", "B"});
  constexpr std::uint64_t kGiB = 1ULL << 30;
  struct Row {
    std::optional<gpu::PeerLink> link;
    std::uint64_t shm, locked;
    const char* facts;
    std::size_t troubles;
  };
  for (const Row& row : {
           Row{gpu::PeerLink::NvLink, 8 * kGiB, ~0ULL,
               "by NVLink; /dev/shm 8g, locked memory unlimited", 0},
           Row{gpu::PeerLink::Pcie, 8 * kGiB, ~0ULL, "by PCIe, from GPU to GPU; ", 0},
           Row{gpu::PeerLink::Host, kGiB, 0, "by shared memory (they do not reach each other); ",
               0},
           Row{std::nullopt, kGiB / 16, ~0ULL, "by an unknown way", 1},
       }) {
    CAPTURE(row.facts);
    request.driver.link = row.link;
    const SeveralGpus found = describe_several_gpus(request, row.shm, row.locked);
    INFO(found.facts);
    CHECK(found.facts.starts_with(std::string("2 GPUs: NCCL goes ") + row.facts));
    CHECK(found.troubles.size() == row.troubles);
  }
  request.driver.link = gpu::PeerLink::NvLink;
  request.device_nodes = {"/dev/infiniband/uverbs0"};
  CHECK(describe_several_gpus(request, 8 * kGiB, 65536).troubles.size() == 1);
  request.resource_limits = {{"MEMLOCK", ~0ULL, ~0ULL}};
  CHECK(describe_several_gpus(request, 8 * kGiB, 65536).troubles.empty());
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
