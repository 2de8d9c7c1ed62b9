#include "gpu/gpu_use.h"

#include <doctest/doctest.h>

#include "gpu/testing/fake_host.h"

namespace slipway::gpu {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;

std::vector<GpuUse> read(const std::string& configuration) {
  FakeHost host;
  host.nvml(configuration);
  const Nvml nvml = Nvml::open(host / "/usr/lib64/libnvidia-ml.so.1").value();
  return read_gpu_use(nvml, nvml.gpus().value());
}

TEST_CASE("processes by pid, each once") {
  const auto uses = read(
      "gpu name=A;uuid=GPU-1;memory=80;used=2;compute=30/100;compute=7/50;graphics=30/90;"
      "graphics=8/1\n"
      "gpu name=B;uuid=GPU-2\n");
  CHECK(uses == std::vector<GpuUse>{{2048 * kMebibyte,
                                     {{7, true, false, 50 * kMebibyte, ""},
                                      {8, false, true, 1 * kMebibyte, ""},
                                      {30, true, true, 100 * kMebibyte, ""}}},
                                    {std::nullopt, {}}});
}

TEST_CASE("the processes of each part of a divided GPU") {
  const auto uses = read(
      "gpu name=A;uuid=GPU-1;memory=80;mig=1/1/0;part=MIG-a/1/0/20/2g.20gb;"
      "part=MIG-b/2/0/20/2g.20gb;compute=30/100/2;compute=31/100/1;compute=30/5/1\n");
  CHECK(uses.at(0).processes ==
        std::vector<GpuProcess>{{30, true, false, 5 * kMebibyte, "MIG-a"},
                                {30, true, false, 100 * kMebibyte, "MIG-b"},
                                {31, true, false, 100 * kMebibyte, "MIG-a"}});
}

TEST_CASE("a driver that never gets room enough tells nothing") {
  CHECK(read("gpu name=A;uuid=GPU-1;processes=3").at(0).processes.empty());
}

}  // namespace
}  // namespace slipway::gpu
