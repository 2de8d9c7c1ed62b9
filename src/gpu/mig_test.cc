#include "gpu/mig.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "gpu/testing/fake_host.h"

namespace slipway::gpu {
namespace {

constexpr const char* kDivided =
    "driver 999.88.77\n"
    "gpu name=NVIDIA A100;uuid=GPU-1;minor=3;cc=8.0;memory=40;bus=0000:41:00.0;mig=1/1/0;"
    "part=MIG-a/1/0/19.5/3g.20gb;part=MIG-b/9/0/4.75/1g.5gb\n"
    "gpu name=NVIDIA T4;uuid=GPU-2;minor=0;cc=7.5;memory=15;bus=0000:42:00.0\n"
    "gpu name=NVIDIA A30;uuid=GPU-3;minor=1;cc=8.0;memory=24;mig=0/0/0\n";

HostGpus read(FakeHost& host, const std::string& configuration) {
  host.nvml(configuration);
  return host.read("");
}

TEST_CASE("the parts of a GPU, and the nodes that lead to each") {
  FakeHost host;
  host.file("/proc/driver/nvidia-caps/mig-minors",
            "config 1\nmonitor 2\ngpu0/gi1/access 3\ngpu3/gi1/access 408\n"
            "gpu3/gi1/ci0/access 409\ngpu3/gi9/access 480\ngpu3/gi9/ci0/access 481\n");
  const HostGpus gpus = read(host, kDivided);
  REQUIRE(gpus.gpus.size() == 3);
  const Gpu& divided = gpus.gpus[0];
  CHECK(divided.mig_enabled);
  CHECK(divided.pci_slot == "0000:41:00.0");
  CHECK(divided.mig_devices ==
        std::vector<MigDevice>{{0, "MIG-a", "NVIDIA A100 MIG 3g.20gb", "3g.20gb", 1, 0,
                                std::uint64_t{39} << 29, 408, 409},
                               {1, "MIG-b", "NVIDIA A100 MIG 1g.5gb", "1g.5gb", 9, 0,
                                std::uint64_t{19} << 28, 480, 481}});
  CHECK(mig_nodes(divided, divided.mig_devices[1]) ==
        std::vector<std::string>{"/dev/nvidia3", "/dev/nvidia-caps/nvidia-cap480",
                                 "/dev/nvidia-caps/nvidia-cap481"});
  CHECK_FALSE(gpus.gpus[1].mig_enabled);
  CHECK_FALSE(gpus.gpus[2].mig_enabled);
  CHECK(gpus.gpus[2].pci_slot == "");
}

TEST_CASE("without the table of capabilities a part has no nodes of its own") {
  FakeHost host;
  const HostGpus gpus = read(host, kDivided);
  const MigDevice& part = gpus.gpus.at(0).mig_devices.at(0);
  CHECK(part.gpu_instance_cap == -1);
  CHECK(mig_nodes(gpus.gpus[0], part) == std::vector<std::string>{"/dev/nvidia3"});
}

TEST_CASE("a driver without a function does without") {
  FakeHost host;
  const std::string text = kDivided;
  const HostGpus no_parts = read(host, "without nvmlDeviceGetMigDeviceHandleByIndex\n" + text);
  CHECK(no_parts.gpus.at(0).mig_enabled);
  CHECK(no_parts.gpus[0].mig_devices.empty());
  const HostGpus no_slot = read(host, "without nvmlDeviceGetPciInfo_v3\n" + text);
  CHECK(no_slot.gpus.at(0).pci_slot == "");
  CHECK(no_slot.gpus[0].mig_devices.size() == 2);
}

TEST_CASE("lines of mig-minors") {
  using Minors = std::map<std::string, int>;
  CHECK(parse_mig_minors("gpu0/gi1/access 30\ngpu0/gi1/ci0/access 31") ==
        Minors{{"gpu0/gi1/access", 30}, {"gpu0/gi1/ci0/access", 31}});
  for (const char* text : {"", "\n\n", "config", "config ", " 3", "config x", "config 3x",
                           "config -3", "config 99999999999", "a b 3"}) {
    CAPTURE(text);
    CHECK(parse_mig_minors(text).empty());
  }
}

}  // namespace
}  // namespace slipway::gpu
