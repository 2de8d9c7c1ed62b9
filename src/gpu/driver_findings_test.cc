#include "gpu/driver_findings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "gpu/kernel_log.h"
#include "gpu/testing/fake_host.h"

namespace slipway::gpu {
namespace {

constexpr const char* kHopper =
    "driver 999.86.15\n"
    "gpu name=NVIDIA H100 80GB HBM3;uuid=GPU-1;minor=0;cc=9.0;memory=79.6;bus=0000:41:00.0";

HostFindings judge(const FakeHost& host, uid_t uid = 1000) {
  const HostView view = host.view(uid);
  return judge_driver_state(read_driver_state(view).value(), view.caller);
}

/// `broken gpu-lost`, … in order.
std::vector<std::string> ids(const HostFindings& findings) {
  std::vector<std::string> list;
  for (const HostFinding& finding : findings)
    list.push_back(fmt::format("{} {}", severity_name(finding.severity), finding.id));
  return list;
}

const HostFinding& find(const HostFindings& findings, const std::string& id) {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const HostFinding& one) { return one.id == id; });
  REQUIRE_MESSAGE(found != findings.end(), id);
  return *found;
}

/// One H100 with driver 999.86.15, as it should be; `gpu` goes behind the GPU's line.
void healthy(FakeHost& host, const std::string& gpu = "") {
  host.nvml(kHopper + gpu + "\n");
  host.pci("0000:41:00.0", "nvidia");
  host.module("999.86.15");
  host.cuda("999.86.15");
  for (const char* name : {"nvidiactl", "nvidia-uvm", "nvidia0"})
    host.node(fmt::format("/dev/{}", name));
  host.file("/etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
}

TEST_CASE("a healthy host") {
  FakeHost host;
  healthy(host);
  const HostFindings findings = judge(host);
  CHECK(ids(findings) == std::vector<std::string>{"ok gpu", "ok driver", "ok nodes"});
  CHECK(find(findings, "gpu").message ==
        "0: NVIDIA H100 80GB HBM3, 80 GiB, compute capability 9.0 (Hopper)");
  CHECK(find(findings, "driver").message ==
        "NVIDIA driver 999.86.15, CUDA up to 12.8, open kernel modules");
  CHECK(find(findings, "nodes").message ==
        "/dev/nvidiactl, /dev/nvidia-uvm, /dev/nvidia0 are open to you");
}

TEST_CASE("a host without any GPU is told in one line") {
  FakeHost host;
  host.file("/sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n");
  host.file("/sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
  const HostFindings findings = judge(host);
  CHECK(ids(findings) == std::vector<std::string>{"note gpu-none"});
  CHECK(findings[0].message == "no NVIDIA GPU on this machine: images run on the CPU");
}

TEST_CASE("eight GPUs are one line") {
  FakeHost host;
  healthy(host);
  std::string text = "driver 999.86.15\n";
  for (int i = 0; i < 8; ++i) {
    text +=
        fmt::format("gpu name=NVIDIA A100-SXM4-40GB;uuid=GPU-{0};minor={0};cc=8.0;memory=40\n", i);
    if (i > 0) host.node(fmt::format("/dev/nvidia{}", i));
  }
  host.nvml(text);
  HostFindings findings = judge(host);
  CHECK(find(findings, "gpu").message ==
        "0-7: 8 x NVIDIA A100-SXM4-40GB, 40 GiB, compute capability 8.0 (Ampere)");
  CHECK(find(findings, "nodes").message ==
        "/dev/nvidiactl, /dev/nvidia-uvm, /dev/nvidia0 and 7 more are open to you");

  // One of them lost: the others are still told.
  const std::size_t third = text.find("minor=3");
  text.insert(third, "status=15;");
  host.nvml(text);
  findings = judge(host);
  CHECK(find(findings, "gpu").message ==
        "0-2, 4-7: 7 x NVIDIA A100-SXM4-40GB, 40 GiB, compute capability 8.0 (Ampere)");
  CHECK(find(findings, "gpu-lost").message == "GPU 3: lost, fallen off the PCI bus");
}

TEST_CASE("one trouble of several GPUs is one finding") {
  FakeHost host;
  healthy(host);
  std::string text = "driver 999.86.15\n";
  for (int i = 0; i < 4; ++i) {
    text += fmt::format("gpu name=A100;minor={};cc=8.0;memory=40;mode={};mig=1/1/{}\n", i,
                        i == 1 ? 0 : 2, i == 3 ? 7 : 2);
    if (i > 0) host.node(fmt::format("/dev/nvidia{}", i));
  }
  host.nvml(text);
  const HostFindings findings = judge(host);
  CHECK(ids(findings) == std::vector<std::string>{"ok gpu", "broken gpu-prohibited", "note gpu-mig",
                                                  "note gpu-mig", "ok driver", "ok nodes"});
  CHECK(findings[1].message ==
        "GPUs 0, 2-3 (A100): set to refuse every program (compute mode Prohibited)");
  CHECK(findings[1].remedy == "sudo nvidia-smi -i 0,2,3 -c DEFAULT");
  CHECK(findings[2].message == "GPUs 0-2 (A100): divided into 2 MIG devices; a program sees one");
  CHECK(findings[3].message == "GPU 3 (A100): divided into 7 MIG devices; a program sees one");
}

TEST_CASE("each thing that can be wrong with the driver") {
  struct Case {
    const char* id;
    std::string message;
    std::string remedy;
    std::function<void(FakeHost&)> change;
  };
  const auto no_module = [](FakeHost& host) {
    host.remove("/proc/driver/nvidia/version");
    REQUIRE(remove_tree(host / "/sys/module").ok());
    host.nvml("init 9\n");
    host.file("/proc/sys/kernel/osrelease", "6.1.0-30-amd64\n");
  };
  const std::vector<Case> cases = {
      {"driver-mismatch",
       "the driver was updated, but not restarted: its libraries are 999.124.06, the loaded kernel "
       "module is still 999.86.15",
       "sudo reboot\nsudo rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia && sudo modprobe "
       "nvidia "
       " # instead, where nothing uses the GPU",
       [](FakeHost& host) {
         host.nvml("init 18\n");
         REQUIRE(rename_path(host / "/usr/lib64/libnvidia-ml.so.1",
                             host / "/usr/lib64/libnvidia-ml.so.999.124.06")
                     .ok());
         host.link("/usr/lib64/libnvidia-ml.so.1", "libnvidia-ml.so.999.124.06");
       }},
      {"driver-lost", "the driver lost the GPU: it has fallen off the PCI bus", "sudo reboot",
       [](FakeHost& host) { host.nvml("init 15\n"); }},
      {"driver-denied", "this user may not talk to the driver", "",
       [](FakeHost& host) { host.nvml("init 4\n"); }},
      {"driver-fails", "the NVIDIA driver does not start: Unknown Error",
       "sudo dmesg | grep -i nvrm | tail", [](FakeHost& host) { host.nvml("init 999\n"); }},
      {"driver-blocked",
       "the driver's device is blocked for this process, often by a control group",
       "cat /proc/self/cgroup", [](FakeHost& host) { host.nvml("init 17\n"); }},
      {"driver-no-devices", "the NVIDIA driver 999.86.15 runs, but finds no GPU that it can use",
       "sudo dmesg | grep -i nvrm | tail", [](FakeHost& host) { host.nvml("driver 999.86.15\n"); }},
      {"driver-cuda-fails", "CUDA does not start: system not yet initialized (802)",
       "sudo systemctl enable --now nvidia-fabricmanager",
       [](FakeHost& host) { host.nvml(std::string("cuinit 802\n") + kHopper + "\n"); }},
      {"driver-cuda-fails", "CUDA does not start: unknown error (999)",
       "sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm && sudo nvidia-modprobe -u -c=0",
       [](FakeHost& host) { host.nvml(std::string("cuinit 999\n") + kHopper + "\n"); }},
      {"driver-cuda-fails", "CUDA starts, but sees no GPU", "sudo dmesg | grep -i nvrm | tail",
       [](FakeHost& host) { host.nvml(std::string("cudevices 0\n") + kHopper + "\n"); }},
      {"driver-no-libcuda", "the driver's library libcuda.so.999.86.15 is not installed",
       "sudo apt-get install libcuda1",
       [](FakeHost& host) { host.remove("/usr/lib64/libcuda.so.999.86.15"); }},
      {"driver-no-library",
       "the NVIDIA kernel module is loaded, but its library libnvidia-ml.so.1 is not installed",
       "sudo apt-get install nvidia-driver",
       [](FakeHost& host) { host.remove("/usr/lib64/libnvidia-ml.so.1"); }},
      {"driver-not-loaded", "the NVIDIA driver is installed, but its module is not loaded",
       "sudo modprobe nvidia",
       [&](FakeHost& host) {
         no_module(host);
         host.file("/lib/modules/6.1.0-30-amd64/modules.dep", "updates/dkms/nvidia.ko.xz:\n");
       }},
      {"driver-no-module", "the NVIDIA driver has no module for the running kernel 6.1.0-30-amd64",
       "sudo dkms autoinstall && sudo modprobe nvidia",
       [&](FakeHost& host) {
         no_module(host);
         host.file("/lib/modules/6.1.0-29-amd64/modules.dep", "updates/dkms/nvidia.ko.xz:\n");
       }},
      {"driver-missing", "there is an NVIDIA GPU (10de:2330 at 0000:41:00.0), but no driver for it",
       "sudo apt-get install nvidia-driver",
       [&](FakeHost& host) {
         no_module(host);
         host.remove("/usr/lib64/libnvidia-ml.so.1");
       }},
      {"driver-nouveau", "the kernel's own driver nouveau holds the GPU, so NVIDIA's cannot",
       "echo 'blacklist nouveau' | sudo tee /etc/modprobe.d/blacklist-nouveau.conf && sudo "
       "update-initramfs -u && sudo reboot",
       [&](FakeHost& host) {
         no_module(host);
         host.file("/sys/module/nouveau/refcnt", "1\n");
       }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.id);
    FakeHost host;
    healthy(host);
    c.change(host);
    const HostFindings findings = judge(host);
    const HostFinding& found = find(findings, c.id);
    CHECK(found.message == c.message);
    CHECK(found.remedy == c.remedy);
    CHECK(found.severity == Severity::Broken);
    CHECK(found.layer == "driver");
    CHECK_FALSE(found.symptom.empty());
  }
}

TEST_CASE("the remedies speak the distribution's language") {
  FakeHost host;
  host.pci("0000:01:00.0", "");
  const auto remedy = [&](const char* os_release) {
    host.file("/etc/os-release", os_release);
    return find(judge(host), "driver-missing").remedy;
  };
  CHECK(remedy("ID=ubuntu\nID_LIKE=debian\n") == "sudo ubuntu-drivers install");
  CHECK(remedy("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n") ==
        "sudo dnf install akmod-nvidia");
  CHECK(remedy("ID=arch\n") == "sudo pacman -S nvidia-open");
  CHECK(remedy("nonsense") == "sudo apt-get install nvidia-driver");
}

TEST_CASE("each thing that can be wrong with a GPU") {
  struct Case {
    const char* gpu;
    const char* finding;
    const char* message;
    const char* remedy;
  };
  const std::string name = "GPU 0 (NVIDIA H100 80GB HBM3)";
  for (const Case& c : {
           Case{";status=15", "broken gpu-lost", "GPU 0: lost, fallen off the PCI bus",
                "sudo reboot"},
           Case{";lost=15", "broken gpu-lost", "GPU 0: lost, fallen off the PCI bus",
                "sudo reboot"},
           Case{";status=16", "broken gpu-needs-reset", "GPU 0: unusable until reset",
                "sudo nvidia-smi --gpu-reset -i 0"},
           Case{";status=999", "broken gpu-fails", "GPU 0: no answer (Unknown Error)",
                "sudo dmesg | grep -i nvrm | tail"},
           Case{";mode=2", "broken gpu-prohibited",
                "*: set to refuse every program (compute mode Prohibited)",
                "sudo nvidia-smi -i 0 -c DEFAULT"},
           Case{";mode=3", "note gpu-exclusive",
                "*: one program at a time (compute mode Exclusive)",
                "sudo nvidia-smi -i 0 -c DEFAULT"},
           Case{";mig=1/1/0", "broken gpu-mig-empty", "*: in MIG mode, but without a MIG device",
                "sudo nvidia-smi mig -i 0 -lgip  # profiles; then: sudo nvidia-smi mig -i 0 -cgi "
                "PROFILE -C\nsudo nvidia-smi -i 0 -mig 0  # or: no MIG"},
           Case{";mig=1/1/3", "note gpu-mig", "*: divided into 3 MIG devices; a program sees one",
                ""},
           Case{";mig=0/1/0", "warning gpu-mig-pending", "*: MIG mode goes on at the next reset",
                "sudo nvidia-smi --gpu-reset -i 0"},
           Case{";ecc=1", "warning gpu-ecc", "*: 1 memory error that could not be corrected",
                "sudo nvidia-smi --gpu-reset -i 0"},
           Case{";pending=1", "warning gpu-memory-pending",
                "*: a repair of memory waits for a reset", "sudo nvidia-smi --gpu-reset -i 0"},
           Case{";remap_failed=1", "warning gpu-memory-failed",
                "*: memory that cannot be repaired any more", "nvidia-smi -q -d ROW_REMAPPER -i 0"},
           Case{";throttle=64", "warning gpu-throttled",
                "*: slowed down by heat or the power supply (91 °C)",
                "nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER"},
           Case{";used=75", "warning gpu-full", "*: 75.0 of 79.6 GiB in use",
                "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv"},
           Case{";persistence=0", "note gpu-persistence",
                "the driver is not kept awake (persistence mode is off)", "sudo nvidia-smi -pm 1"},
       }) {
    CAPTURE(c.gpu);
    FakeHost host;
    healthy(host, c.gpu);
    const HostFindings findings = judge(host);
    const std::string id = std::string(c.finding).substr(std::string(c.finding).find(' ') + 1);
    const HostFinding& found = find(findings, id);
    CHECK(ids({found})[0] == c.finding);
    const std::string message = c.message;
    CHECK(found.message == (message.starts_with('*') ? name + message.substr(1) : message));
    CHECK(found.remedy == c.remedy);
    CHECK(found.layer == "gpu");
  }
  // The same values, but as they should be: not one of them is named.
  FakeHost host;
  healthy(host, ";mode=0;mig=0/0/0;ecc=0;throttle=4;fabric=3;used=20;processes=2");
  CHECK(ids(judge(host)) == std::vector<std::string>{"ok gpu", "ok driver", "ok nodes"});
}

TEST_CASE("a fabric that is not set up matters where CUDA does not start") {
  FakeHost host;
  healthy(host, ";fabric=2");
  CHECK(ids(judge(host)) == std::vector<std::string>{"ok gpu", "ok driver", "ok nodes"});
  host.nvml(fmt::format("cuinit 802\n{};fabric=2\n", kHopper));
  const HostFindings findings = judge(host);
  CHECK(ids(findings) ==
        std::vector<std::string>{"ok gpu", "broken gpu-fabric", "ok driver", "ok nodes"});
  CHECK(find(findings, "gpu-fabric").remedy == "sudo systemctl enable --now nvidia-fabricmanager");
}

TEST_CASE("libcuda is asked in a process of its own") {
  FakeHost host;
  CHECK_FALSE(probe_cuda(host / "/nowhere"));
  host.nvml("cuinit 999\n");
  const CudaProbe probe = probe_cuda(host / "/usr/lib64/libnvidia-ml.so.1").value();
  CHECK(probe == CudaProbe{999, 0, "unknown error"});
  host.library("/usr/lib64/libcuda.so.1", "libcuda.so.1");
  CHECK_FALSE(probe_cuda(host / "/usr/lib64/libcuda.so.1"));
}

TEST_CASE("an old driver, and programs that run") {
  FakeHost host;
  healthy(host, ";processes=2");
  CHECK(find(judge(host), "gpu").message ==
        "0: NVIDIA H100 80GB HBM3, 80 GiB, compute capability 9.0 (Hopper), 2 programs running");
  DriverState state = read_driver_state(host.view()).value();
  state.host.driver_version = "470.82.01";
  const HostFinding old = find(judge_driver(state), "driver-old");
  CHECK(old.severity == Severity::Note);
  // CUDA 11, for which torch 2.7 is the last: pytorch.org, "previous versions".
  CHECK(old.message.starts_with("driver 470.82.01 runs PyTorch up to 2.7; 2."));
  state.host.driver_version = "390.1";
  CHECK(find(judge_driver(state), "driver-old").severity == Severity::Warning);
  state.host.driver_version = "999.1";
  CHECK(ids(judge_driver(state)) == std::vector<std::string>{"ok driver"});
}

TEST_CASE("a GPU that the driver does not list, and those for virtual machines") {
  FakeHost host;
  healthy(host);
  host.pci("0000:42:00.0", "nvidia");
  CHECK(find(judge(host), "gpu-unlisted").message ==
        "the GPU 10de:2330 at 0000:42:00.0 is on the PCI bus, but the driver does not list it");
  FakeHost other;
  healthy(other);
  other.pci("0000:42:00.0", "vfio-pci");
  CHECK(ids(judge(other)) == std::vector<std::string>{"ok gpu", "ok driver", "ok nodes"});
  FakeHost all;
  all.pci("0000:42:00.0", "vfio-pci");
  CHECK(ids(judge(all)) == std::vector<std::string>{"note gpu-passed-on"});
}

TEST_CASE("device nodes: missing, of the wrong kind, closed") {
  FakeHost host;
  healthy(host);
  host.remove("/dev/nvidia-uvm");
  REQUIRE(remove_tree(host / "/sys/module/nvidia_uvm").ok());
  host.remove("/dev/nvidia0");
  host.file("/dev/nvidia0", "a file");
  HostFindings findings = judge(host);
  CHECK(find(findings, "node-uvm-missing").message ==
        "/dev/nvidia-uvm is missing: the module nvidia_uvm is not loaded");
  CHECK(find(findings, "node-uvm-missing").remedy == "sudo nvidia-modprobe -u -c=0");
  CHECK(find(findings, "node-not-a-device").remedy ==
        "sudo rm /dev/nvidia0 && sudo nvidia-modprobe -u -c=0");
  host.remove("/dev/nvidia0");
  host.remove("/dev/nvidiactl");
  findings = judge(host);
  CHECK(ids(findings) == std::vector<std::string>{"ok gpu", "ok driver", "broken node-missing",
                                                  "broken node-uvm-missing",
                                                  "broken node-missing"});
  CHECK(findings.back().remedy == "sudo nvidia-modprobe -c=0");
}

TEST_CASE("who may use a node") {
  DeviceNode node{"/dev/nvidia0", true, true, 0660, 0, 44, "video"};
  const Caller stranger{1000, 1000, {1000, 27}, "somebody"};
  const Caller member{1000, 1000, {44}, "somebody"};
  CHECK(may_use(node, {0, 0, {}, "root"}));
  CHECK_FALSE(may_use(node, stranger));
  CHECK(may_use(node, member));
  node.mode = 0606;
  CHECK(may_use(node, stranger));
  CHECK_FALSE(may_use(node, member));  // as the kernel decides: the group's bits are the ones
  DriverState state;
  node.mode = 0660;
  state.nodes = {node};
  HostFindings findings = judge_device_nodes(state, stranger);
  CHECK(ids(findings) == std::vector<std::string>{"broken node-denied"});
  CHECK(findings[0].message ==
        "/dev/nvidia0 is open to the group `video` only, and you are not in it");
  CHECK(findings[0].remedy == "sudo usermod -aG video $USER  # then log in again");
  findings = judge_device_nodes(state, member);
  CHECK(ids(findings) == std::vector<std::string>{"warning node-group"});
  CHECK(ids(judge_device_nodes(state, {0, 0, {}, "root"})) == std::vector<std::string>{"ok nodes"});
  state.nodes[0].mode = 0600;
  findings = judge_device_nodes(state, stranger);
  CHECK(findings[0].message == "/dev/nvidia0 is closed to you (mode 600)");
  CHECK(findings[0].remedy ==
        "echo 'options nvidia NVreg_DeviceFileMode=0666' | sudo tee "
        "/etc/modprobe.d/nvidia-device-files.conf && sudo chmod 666 /dev/nvidia*");
}

TEST_CASE("no rights for NVML: the nodes that are closed are named") {
  FakeHost host;
  healthy(host);
  host.nvml("init 4\n");
  const DriverState state = read_driver_state(host.view()).value();
  std::vector<std::string> paths;
  for (const DeviceNode& node : state.nodes) paths.push_back(node.path);
  CHECK(paths == std::vector<std::string>{"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0"});
}

TEST_CASE("WSL2") {
  FakeHost host;
  host.node("/dev/dxg");
  CHECK(ids(judge(host)) == std::vector<std::string>{"broken driver-no-library", "ok nodes"});
  CHECK(judge(host)[0].remedy == "wsl.exe --update");
  host.nvml(std::string(kHopper) + "\n");
  REQUIRE(make_folders(host / "/usr/lib/wsl").ok());
  REQUIRE(rename_path(host / "/usr/lib64", host / "/usr/lib/wsl/lib").ok());
  REQUIRE(rename_path(host / "/usr/lib/wsl/lib/libnvidia-ml.so.1",
                      host / "/usr/lib/wsl/lib/libcuda.so.1.1")
              .ok());
  host.link("/usr/lib/wsl/lib/libnvidia-ml.so.1", "libcuda.so.1.1");
  const HostFindings findings = judge(host);
  CHECK(ids(findings) == std::vector<std::string>{"ok gpu", "ok driver", "ok nodes"});
  CHECK(find(findings, "driver").message ==
        "NVIDIA driver 999.86.15, CUDA up to 12.8, of Windows (WSL2)");
}

TEST_CASE("Xids in the kernel's log") {
  CHECK(parse_xids("6,1,2,-;NVRM: Xid (PCI:0000:41:00): 31, pid=1, name=python\n"
                   "6,1,3,-;NVRM: Xid (PCI:0000:c1:00): 48, pid=2\nsomething else\n"
                   "[ 17.2] NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.\n") ==
        std::vector<XidMessage>{{"0000:c1:00", 48}, {"0000:41:00", 79}});
  for (const char* log : {"", "NVRM: Xid (PCI:", "NVRM: Xid (PCI:0): x", "NVRM: Xid (PCI:0): "})
    CHECK(parse_xids(log).empty());
  FakeHost host;
  healthy(host);
  host.file("/dev/kmsg", "4,1,2,-;NVRM: Xid (PCI:0000:41:00): 79, pid=1\n");
  const HostFindings findings = judge(host);
  CHECK(find(findings, "gpu-xid").severity == Severity::Warning);
  CHECK(find(findings, "gpu-xid").message ==
        "the kernel's log has Xid 79 for the GPU at 0000:41:00: the GPU has fallen off the bus");
}

}  // namespace
}  // namespace slipway::gpu
