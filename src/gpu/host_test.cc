#include "gpu/host.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>

#include "gpu/testing/fake_host.h"

namespace slipway::gpu {
namespace {

TEST_CASE("a host with two GPUs") {
  FakeHost host;
  host.whole_driver();
  const HostGpus gpus = host.read();
  CHECK(gpus.missing == "");
  CHECK(gpus.driver_found);
  CHECK_FALSE(gpus.is_wsl);
  CHECK(gpus.driver_version == "999.88.77");
  CHECK(gpus.cuda_version == "12.8");
  std::vector<Gpu> expected{
      {"NVIDIA Fake 80GB", "GPU-11111111-2222-3333-4444-555555555555", 1, 9, 0,
       std::uint64_t{80} << 30},
      {"NVIDIA Fake 24GB", "GPU-66666666-7777-8888-9999-000000000000", 0, 8, 6, 0}};
  expected[0].peers = {{expected[1].uuid, PeerLink::Pcie}};
  expected[1].peers = {{expected[0].uuid, PeerLink::Pcie}};
  CHECK(gpus.gpus == expected);
  CHECK(weakest_link(gpus.gpus) == PeerLink::Pcie);
  expected[0].peers[expected[1].uuid] = PeerLink::NvLink;
  CHECK(weakest_link(expected) == PeerLink::Pcie);
  expected[1].peers.clear();
  CHECK(weakest_link(expected) == std::nullopt);
  expected.pop_back();
  CHECK(weakest_link(expected) == std::nullopt);
  CHECK(gpus.device_nodes == std::vector<std::string>{host / "/dev/nvidia-uvm",
                                                      host / "/dev/nvidia-uvm-tools",
                                                      host / "/dev/nvidia0", host / "/dev/nvidia1",
                                                      host / "/dev/nvidiactl"});
  CHECK(gpus.libraries ==
        std::vector<std::string>{host / "/usr/lib64/libcuda.so.999.88.77",
                                 host / "/usr/lib64/libnvidia-ml.so.999.88.77",
                                 host / "/usr/lib64/libnvidia-nvvm.so.999.88.77"});
  CHECK(gpus.library_links ==
        std::vector<DriverLink>{{"libcuda.so", "libcuda.so.1"},
                                {"libcuda.so.1", "libcuda.so.999.88.77"},
                                {"libnvidia-ml.so", "libnvidia-ml.so.1"},
                                {"libnvidia-ml.so.1", "libnvidia-ml.so.999.88.77"},
                                {"libnvidia-nvvm.so", "libnvidia-nvvm.so.4"},
                                {"libnvidia-nvvm.so.4", "libnvidia-nvvm.so.999.88.77"}});
  CHECK(gpus.nvidia_smi == host / "/usr/bin/nvidia-smi");
}

TEST_CASE("only what belongs to this driver, to compute and to this machine") {
  FakeHost host;
  host.whole_driver();
  const HostGpus before = host.read();
  host.library("/usr/lib64/libcuda.so.470.1", "libcuda.so.1");                        // left over
  host.library("/usr/lib64/libnvidia-glcore.so.999.88.77", "libnvidia-glcore.so.1");  // graphics
  host.library("/usr/lib64/libGL.so.999.88.77", "libGL.so.1");                // not NVIDIA's
  host.library("/usr/lib/libcuda.so.999.88.77", "libcuda.so.1");              // a second copy
  host.library("/usr/lib64/libnvidia-opencl.so.999.88.77", "libx.so.1", 22);  // s390x
  host.file("/usr/lib64/libnvidia-cfg.so.999.88.77", "not a library");
  host.link("/usr/lib64/libnvidia-allocator.so.999.88.77", "libcuda.so.999.88.77");
  host.file("/dev/nvidia2", "a plain file is no device");
  CHECK(host.read() == before);
}

TEST_CASE("capabilities of partitioned GPUs, without those for administrators") {
  FakeHost host;
  host.whole_driver();
  for (const int cap : {1, 2, 21, 22}) host.node(fmt::format("/dev/nvidia-caps/nvidia-cap{}", cap));
  const auto nodes = host.read().device_nodes;
  CHECK(std::count(nodes.begin(), nodes.end(), host / "/dev/nvidia-caps/nvidia-cap21") == 1);
  CHECK(std::count(nodes.begin(), nodes.end(), host / "/dev/nvidia-caps/nvidia-cap1") == 0);
}

TEST_CASE("what is missing is said in plain words") {
  struct Case {
    const char* name;
    std::string missing;
    std::function<void(FakeHost&)> change;
    std::string nvml = SLIPWAY_FAKE_NVML;
  };
  const std::vector<Case> cases = {
      {"nothing at all",
       "this host has no NVIDIA driver: there is no libnvidia-ml.so.1 and no /dev/nvidiactl",
       [](FakeHost& host) { host.remove("/dev/nvidiactl"); }, "/nowhere/libnvidia-ml.so.1"},
      {"no user-space part",
       "the NVIDIA kernel driver is loaded, but its library libnvidia-ml.so.1 is not installed",
       [](FakeHost&) {}, "/nowhere/libnvidia-ml.so.1"},
      {"updated, not restarted",
       "the NVIDIA driver does not start: Driver/library version mismatch",
       [](FakeHost& host) { host.nvml("init 18\n"); }, ""},
      {"no node of one GPU",
       "the NVIDIA driver 999.88.77 is there, but /dev/nvidia1 of NVIDIA Fake 80GB is missing",
       [](FakeHost& host) { host.remove("/dev/nvidia1"); }},
      {"no unified memory, no libcuda",
       "the NVIDIA driver 999.88.77 is there, but /dev/nvidia-uvm, the driver's library "
       "libcuda.so.999.88.77 are missing; `nvidia-modprobe -u -c=0` as root makes /dev/nvidia-uvm",
       [](FakeHost& host) {
         host.remove("/dev/nvidia-uvm");
         host.remove("/usr/lib64/libcuda.so.999.88.77");
       }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    FakeHost host;
    host.whole_driver();
    c.change(host);
    CHECK(host.read(c.nvml).missing == c.missing);
  }
}

TEST_CASE("nvidia-smi is the program, and no script that leads to it") {
  FakeHost host;
  host.whole_driver();
  host.file("/usr/bin/nvidia-smi", "#!/bin/sh\nexec /usr/local/nvidia/bin/nvidia-smi \"$@\"\n");
  CHECK(host.read().nvidia_smi.empty());
  host.library("/usr/local/nvidia/bin/nvidia-smi", "");
  CHECK(host.read().nvidia_smi == host / "/usr/local/nvidia/bin/nvidia-smi");
}

TEST_CASE("programs and the sockets of services") {
  FakeHost host;
  host.whole_driver();
  CHECK(host.read().programs.empty());  // nvidia-smi is there, but nobody may run it
  for (const char* path : {"/usr/bin/nvidia-smi", "/usr/bin/nvidia-debugdump",
                           "/usr/local/bin/nvidia-smi", "/bin/nvidia-persistenced"}) {
    host.file(path, "");
    REQUIRE(chmod((host / path).c_str(), 0755) == 0);
  }
  host.file("/run/nvidia-persistenced/socket", "a file is no socket");
  host.socket("/var/run/nvidia-persistenced/socket");
  host.socket("/run/nvidia-fabricmanager/socket");
  const HostGpus gpus = host.read();
  CHECK(gpus.programs == std::vector<std::string>{host / "/usr/bin/nvidia-debugdump",
                                                  host / "/bin/nvidia-persistenced",
                                                  host / "/usr/local/bin/nvidia-smi"});
  CHECK(gpus.sockets == std::vector<std::string>{host / "/run/nvidia-fabricmanager/socket",
                                                 host / "/var/run/nvidia-persistenced/socket"});
}

TEST_CASE("a driver that is installed elsewhere") {
  FakeHost host;
  host.node("/driver/dev/nvidiactl");
  host.node("/driver/dev/nvidia-uvm");
  host.node("/driver/dev/nvidia0");
  host.library("/driver/usr/lib64/libcuda.so.999.88.77", "libcuda.so.1");
  host.file("/driver/usr/lib64/libnvidia-ml.so.1", read_file(SLIPWAY_FAKE_NVML).value());
  host.file("/driver/usr/lib64/fake_nvml.conf",
            "driver 999.88.77\ngpu name=A;uuid=GPU-1;mig=1/1/1");
  host.file("/proc/driver/nvidia-caps/mig-minors", "gpu0/gi7/access 66\n");
  const HostGpus gpus = read_host_gpus({host / "", "", host / "/driver"}).value();
  CHECK(gpus.missing == "");
  CHECK(gpus.device_nodes.size() == 3);
  CHECK(gpus.libraries ==
        std::vector<std::string>{host / "/driver/usr/lib64/libcuda.so.999.88.77"});
  CHECK(gpus.gpus.at(0).mig_devices.at(0).gpu_instance_cap == 66);  // /proc is the host's
}

TEST_CASE("WSL2: one node, and all of the driver's folder") {
  FakeHost host;
  host.node("/dev/dxg");
  host.library("/usr/lib/wsl/lib/libcuda.so.1.1", "libcuda.so.1");
  host.library("/usr/lib/wsl/lib/libdxcore.so", "libdxcore.so");
  CHECK(host.read().missing ==
        "the NVIDIA driver 999.88.77 is there, but the Windows driver's libcuda.so.1.1 in "
        "/usr/lib/wsl/drivers is missing");
  const std::string store = "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_0123";
  host.library(store + "/libcuda.so.1.1", "libcuda.so.1");
  host.file("/usr/lib/wsl/drivers/iigd_dch.inf_amd64_4567/libigc.so", "of another maker");
  const HostGpus gpus = host.read();
  CHECK(gpus.stores == std::vector<std::string>{host / store});
  CHECK(gpus.is_wsl);
  CHECK(gpus.missing == "");
  CHECK(gpus.device_nodes == std::vector<std::string>{host / "/dev/dxg"});
  CHECK(gpus.libraries == std::vector<std::string>{host / "/usr/lib/wsl/lib/libcuda.so.1.1",
                                                   host / "/usr/lib/wsl/lib/libdxcore.so"});
  CHECK(gpus.library_links == std::vector<DriverLink>{{"libcuda.so", "libcuda.so.1"},
                                                      {"libcuda.so.1", "libcuda.so.1.1"}});
}

TEST_CASE("this very host answers, with or without a GPU") {
  const auto gpus = read_host_gpus();
  REQUIRE(gpus.ok());
  CHECK(gpus->driver_found == !gpus->driver_version.empty());
  if (!gpus->driver_found) CHECK_FALSE(gpus->missing.empty());
}

}  // namespace
}  // namespace slipway::gpu
