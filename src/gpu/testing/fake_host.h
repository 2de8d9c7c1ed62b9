/// A host's root folder with a driver in it, for tests.
///
/// Nodes are links to /dev/null: a character device, open to all, that needs no rights to make.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/file.h"
#include "gpu/host.h"
#include "gpu/host_view.h"
#include "gpu/testing/elf_writer.h"

namespace slipway::gpu {

class FakeHost {
 public:
  FakeHost() : folder_(TemporaryFolder::create("/tmp").value()) {}

  void file(const std::string& path, std::string_view text) {
    REQUIRE(make_folders(parent_path(whole(path))).ok());
    REQUIRE(write_file(whole(path), text).ok());
  }
  void library(const std::string& path, const std::string& soname, int machine = kThisMachine) {
    file(path, make_elf({machine, true, soname, {}, {}, {}, ""}));
  }
  void link(const std::string& path, const std::string& target) {
    REQUIRE(make_folders(parent_path(whole(path))).ok());
    REQUIRE(symlink(target.c_str(), whole(path).c_str()) == 0);
  }
  void node(const std::string& path) { link(path, "/dev/null"); }
  /// A socket to which nobody listens.
  void socket(const std::string& path) {
    REQUIRE(make_folders(parent_path(whole(path))).ok());
    REQUIRE(::mknod(whole(path).c_str(), S_IFSOCK | 0666, 0) == 0);
  }
  void remove(const std::string& path) { REQUIRE(remove_file(whole(path)).ok()); }

  /// The fake NVML as the driver's, saying what testing/fake_nvml.cc describes.
  void nvml(std::string_view configuration) {
    const std::string bytes = read_file(SLIPWAY_FAKE_NVML).value();
    file("/usr/lib64/libnvidia-ml.so.1", bytes);
    file("/usr/lib64/fake_nvml.conf", configuration);
  }
  /// The same as libcuda.
  void cuda(const std::string& version) {
    file("/usr/lib64/libcuda.so." + version, read_file(SLIPWAY_FAKE_NVML).value());
  }
  void whole_driver() {
    for (const char* name : {"nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia0", "nvidia1"})
      node(fmt::format("/dev/{}", name));
    library("/usr/lib64/libcuda.so.999.88.77", "libcuda.so.1");
    library("/usr/lib64/libnvidia-ml.so.999.88.77", "libnvidia-ml.so.1");
    library("/usr/lib64/libnvidia-nvvm.so.999.88.77", "libnvidia-nvvm.so.4");
    library("/usr/bin/nvidia-smi", "");
  }
  void pci(const std::string& slot, const std::string& driver, const std::string& id = "0x2330") {
    const std::string folder = "/sys/bus/pci/devices/" + slot;
    file(folder + "/vendor", "0x10de\n");
    file(folder + "/class", "0x030200\n");
    file(folder + "/device", id + "\n");
    if (!driver.empty()) link(folder + "/driver", "../../../../bus/pci/drivers/" + driver);
  }
  void module(const std::string& version) {
    file("/sys/module/nvidia/version", version + "\n");
    file("/sys/module/nvidia_uvm/refcnt", "0\n");
    file("/proc/driver/nvidia/version",
         fmt::format("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build\n"
                     "GCC version:  gcc version 12.2.0\n",
                     version));
  }

  HostGpus read(const std::string& nvml_library = SLIPWAY_FAKE_NVML) const {
    return read_host_gpus({folder_.path(), nvml_library}).value();
  }
  HostView view(uid_t uid = 1000) const { return {folder_.path(), {uid, uid, {uid}, "somebody"}}; }
  std::string operator/(const std::string& path) const { return whole(path); }

 private:
  std::string whole(const std::string& path) const { return folder_.path() + path; }
  TemporaryFolder folder_;
};

}  // namespace slipway::gpu
