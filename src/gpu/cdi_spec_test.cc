#include "gpu/cdi_spec.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "gpu/testing/fake_host.h"

namespace slipway::gpu {
namespace {

Result<CdiSpec> make(const FakeHost& host, const std::string& nvml = SLIPWAY_FAKE_NVML) {
  const HostGpuOptions options{host / "", nvml};
  return make_cdi_spec(read_host_gpus(options).value(), options);
}

std::vector<std::string> names_in(const CdiSpec& spec) {
  std::vector<std::string> names;
  for (const CdiDevice& device : spec.devices) names.push_back(device.name);
  return names;
}

std::vector<std::string> nodes_of(const CdiSpec& spec, const std::string& name) {
  std::vector<std::string> paths;
  for (const CdiDevice& device : spec.devices) {
    if (device.name != name) continue;
    for (const CdiNode& node : device.edits.nodes) paths.push_back(node.path);
  }
  return paths;
}

/// `container path < host path`, of those that match.
std::vector<std::string> mounts_of(const CdiSpec& spec, const FakeHost& host) {
  std::vector<std::string> texts;
  for (const CdiMount& mount : spec.edits.mounts) {
    REQUIRE(mount.host_path.starts_with(host / ""));
    texts.push_back(mount.container_path + " < " + mount.host_path.substr((host / "").size()));
  }
  return texts;
}

TEST_CASE("devices by index, by UUID and all at once") {
  FakeHost host;
  host.whole_driver();
  const CdiSpec spec = make(host).value();
  CHECK(spec.kind == "nvidia.com/gpu");
  CHECK(spec.version == "0.5.0");
  CHECK(names_in(spec) ==
        std::vector<std::string>{"0", "1", "GPU-11111111-2222-3333-4444-555555555555",
                                 "GPU-66666666-7777-8888-9999-000000000000", "all"});
  CHECK(nodes_of(spec, "0") ==
        std::vector<std::string>{"/dev/nvidia1"});  // the minor, not the index
  CHECK(nodes_of(spec, "all") == std::vector<std::string>{"/dev/nvidia0", "/dev/nvidia1"});
  CHECK(spec.edits.environment == std::vector<std::string>{"NVIDIA_CTK_LIBCUDA_DIR=/usr/lib64",
                                                           "NVIDIA_VISIBLE_DEVICES=void"});
  REQUIRE(spec.edits.nodes.size() == 3);
  const CdiNode& node = spec.edits.nodes[0];
  CHECK(node.path == "/dev/nvidia-uvm");
  CHECK(node.host_path == host / "/dev/nvidia-uvm");
  CHECK(node.major == 1);  // it is a link to /dev/null
  CHECK(node.minor == 3);
  CHECK(spec.left_out.empty());
}

TEST_CASE("each library also under the names by which it is looked for") {
  FakeHost host;
  host.whole_driver();
  host.library("/usr/lib64/libGLX_nvidia.so.999.88.77", "libGLX_nvidia.so.0");
  host.library("/usr/lib64/vdpau/libvdpau_nvidia.so.999.88.77", "libvdpau_nvidia.so.1");
  host.library("/usr/lib64/libnvidia-egl-gbm.so.1.1.2", "libnvidia-egl-gbm.so.1");
  host.library("/usr/lib64/libcuda.so.470.1", "libcuda.so.1");       // another driver's
  host.library("/usr/lib/libcuda.so.999.88.77", "libcuda.so.1", 3);  // for 32-bit programs
  host.library("/elsewhere/libcuda.so.999.88.77", "libcuda.so.1");
  host.link("/lib64", "usr/lib64");
  CHECK(mounts_of(make(host).value(), host) ==
        std::vector<std::string>{
            "/usr/lib64/libGLX_nvidia.so.0 < /usr/lib64/libGLX_nvidia.so.999.88.77",
            "/usr/lib64/libGLX_nvidia.so.999.88.77 < /usr/lib64/libGLX_nvidia.so.999.88.77",
            "/usr/lib64/libcuda.so < /usr/lib64/libcuda.so.999.88.77",
            "/usr/lib64/libcuda.so.1 < /usr/lib64/libcuda.so.999.88.77",
            "/usr/lib64/libcuda.so.999.88.77 < /usr/lib64/libcuda.so.999.88.77",
            "/usr/lib64/libnvidia-egl-gbm.so.1 < /usr/lib64/libnvidia-egl-gbm.so.1.1.2",
            "/usr/lib64/libnvidia-egl-gbm.so.1.1.2 < /usr/lib64/libnvidia-egl-gbm.so.1.1.2",
            "/usr/lib64/libnvidia-ml.so < /usr/lib64/libnvidia-ml.so.999.88.77",
            "/usr/lib64/libnvidia-ml.so.1 < /usr/lib64/libnvidia-ml.so.999.88.77",
            "/usr/lib64/libnvidia-ml.so.999.88.77 < /usr/lib64/libnvidia-ml.so.999.88.77",
            "/usr/lib64/libnvidia-nvvm.so < /usr/lib64/libnvidia-nvvm.so.999.88.77",
            "/usr/lib64/libnvidia-nvvm.so.4 < /usr/lib64/libnvidia-nvvm.so.999.88.77",
            "/usr/lib64/libnvidia-nvvm.so.999.88.77 < /usr/lib64/libnvidia-nvvm.so.999.88.77",
            "/usr/lib64/vdpau/libvdpau_nvidia.so.1 < "
            "/usr/lib64/vdpau/libvdpau_nvidia.so.999.88.77",
            "/usr/lib64/vdpau/libvdpau_nvidia.so.999.88.77 < "
            "/usr/lib64/vdpau/libvdpau_nvidia.so.999.88.77"});
}

TEST_CASE("a folder of libraries that leads out of the driver's root is none of it") {
  FakeHost host;
  host.whole_driver();
  FakeHost other;
  other.library("/libnvidia-secret.so.999.88.77", "libnvidia-secret.so.1");
  host.link("/lib64", other / "");
  const CdiSpec spec = make(host).value();
  for (const CdiMount& mount : spec.edits.mounts) {
    CAPTURE(mount.container_path);
    CHECK(mount.host_path.find("secret") == std::string::npos);
  }
}

TEST_CASE("the files of tools, services and graphics") {
  FakeHost host;
  host.nvml("driver 1.2\ngpu name=A;uuid=GPU-1;bus=0000:41:00.0");
  host.node("/dev/nvidia0");
  host.node("/dev/dri/card1");
  host.file("/dev/dri/renderD129", "no device");
  host.file("/sys/bus/pci/devices/0000:41:00.0/drm/card1/dev", "");
  host.file("/sys/bus/pci/devices/0000:41:00.0/drm/renderD129/dev", "");
  host.file("/sys/bus/pci/devices/0000:42:00.0/drm/card2/dev", "");
  host.node("/dev/dri/card2");
  host.file("/lib/firmware/nvidia/1.2/gsp_ga10x.bin", "");
  host.file("/lib/firmware/nvidia/1.3/gsp_ga10x.bin", "");
  host.file("/etc/vulkan/icd.d/nvidia_icd.json", "");
  host.file("/usr/share/vulkan/icd.d/nvidia_icd.json", "");
  host.file("/usr/share/nvidia/nvoptix.bin", "");
  host.file("/usr/lib/xorg/modules/drivers/nvidia_drv.so", "");
  host.socket("/run/nvidia-persistenced/socket");
  host.file("/usr/bin/nvidia-smi", "");
  REQUIRE(chmod((host / "/usr/bin/nvidia-smi").c_str(), 0755) == 0);
  host.file("/tmp/nvidia-mps/control", "");
  const CdiSpec spec = make(host, "").value();
  CHECK(mounts_of(spec, host) ==
        std::vector<std::string>{
            "/etc/vulkan/icd.d/nvidia_icd.json < /etc/vulkan/icd.d/nvidia_icd.json",
            "/lib/firmware/nvidia/1.2/gsp_ga10x.bin < /lib/firmware/nvidia/1.2/gsp_ga10x.bin",
            "/run/nvidia-persistenced/socket < /run/nvidia-persistenced/socket",
            "/tmp/nvidia-mps < /tmp/nvidia-mps", "/usr/bin/nvidia-smi < /usr/bin/nvidia-smi",
            "/usr/lib/xorg/modules/drivers/nvidia_drv.so < "
            "/usr/lib/xorg/modules/drivers/nvidia_drv.so",
            "/usr/share/nvidia/nvoptix.bin < /usr/share/nvidia/nvoptix.bin"});
  const auto is_socket = [](const CdiMount& mount) { return mount.kind == CdiMount::Kind::Socket; };
  CHECK(std::count_if(spec.edits.mounts.begin(), spec.edits.mounts.end(), is_socket) == 2);
  CHECK(nodes_of(spec, "GPU-1") == std::vector<std::string>{"/dev/dri/card1", "/dev/nvidia0"});
}

TEST_CASE("a divided GPU is its parts") {
  FakeHost host;
  host.whole_driver();
  host.nvml(
      "driver 999.88.77\n"
      "gpu name=A;uuid=GPU-1;minor=1;mig=1/1/0;part=MIG-a/1/0/5/1g.5gb;part=MIG-b/2/0/5/1g.5gb\n"
      "gpu name=B;uuid=GPU-2;minor=0\n");
  host.file("/proc/driver/nvidia-caps/mig-minors",
            "gpu1/gi1/access 12\ngpu1/gi1/ci0/access 13\ngpu1/gi2/access 21\n");
  for (const int cap : {12, 13, 21}) host.node(fmt::format("/dev/nvidia-caps/nvidia-cap{}", cap));
  const CdiSpec spec = make(host, "").value();
  CHECK(names_in(spec) == std::vector<std::string>{"0:0", "1", "GPU-2", "MIG-a", "all"});
  CHECK(nodes_of(spec, "0:0") == std::vector<std::string>{"/dev/nvidia-caps/nvidia-cap12",
                                                          "/dev/nvidia-caps/nvidia-cap13",
                                                          "/dev/nvidia1"});
  CHECK(spec.left_out == std::vector<std::string>{"MIG device 0:1 (A MIG 1g.5gb): its nodes in "
                                                  "/dev/nvidia-caps are not known or not there"});
}

TEST_CASE("a GPU without its node is left out, and said") {
  FakeHost host;
  host.whole_driver();
  host.remove("/dev/nvidia0");
  const CdiSpec spec = make(host).value();
  CHECK(names_in(spec) ==
        std::vector<std::string>{"0", "GPU-11111111-2222-3333-4444-555555555555", "all"});
  CHECK(spec.left_out ==
        std::vector<std::string>{"GPU 1 (NVIDIA Fake 24GB): there is no /dev/nvidia0"});
}

TEST_CASE("without a GPU the error says why") {
  FakeHost host;
  CHECK(make(host, "/nowhere/libnvidia-ml.so.1").error().kind == ErrorKind::Unsupported);
  CHECK(make(host).error().because.at(0) == "GPU 0 (NVIDIA Fake 80GB): there is no /dev/nvidia1");
  host.node("/dev/dxg");
  CHECK(make(host).error().message.find("WSL2") != std::string::npos);
}

}  // namespace
}  // namespace slipway::gpu
