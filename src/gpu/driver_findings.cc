#include "gpu/driver_findings.h"

#include <algorithm>

#include "base/file.h"

namespace slipway::gpu {
namespace {

constexpr const char* kNoCuda = "`torch.cuda.is_available()` is False";

HostFinding broken(std::string id, std::string message, std::string symptom, std::string remedy) {
  return {std::move(id),      "driver",           Severity::Broken,
          std::move(message), std::move(symptom), std::move(remedy)};
}

bool is_debian(const DriverState& state) {
  return state.distribution.family == Distribution::Family::Debian ||
         state.distribution.family == Distribution::Family::Other;
}

HostFinding judge_nouveau(const DriverState& state) {
  return broken(
      "driver-nouveau", "the kernel's own driver nouveau holds the GPU, so NVIDIA's cannot",
      fmt::format("`nvidia-smi` says that it cannot communicate with the driver, {}", kNoCuda),
      fmt::format("echo 'blacklist nouveau' | sudo tee "
                  "/etc/modprobe.d/blacklist-nouveau.conf && {} && sudo reboot",
                  is_debian(state) ? "sudo update-initramfs -u" : "sudo dracut --force"));
}

HostFinding judge_not_loaded(const DriverState& state) {
  if (state.pci.empty()) {
    return {"driver-no-hardware",
            "driver",
            Severity::Note,
            "an NVIDIA driver is installed, but there is no NVIDIA GPU on the PCI bus",
            "",
            ""};
  }
  if (!state.library_found && !state.module_installed) {
    return broken("driver-missing",
                  fmt::format("there is an NVIDIA GPU ({} at {}), but no driver for it",
                              state.pci[0].id, state.pci[0].slot),
                  kNoCuda, install_driver_command(state.distribution));
  }
  if (!state.module_installed) {
    return broken("driver-no-module",
                  fmt::format("the NVIDIA driver has no module for the running kernel {}",
                              state.kernel_release),
                  "after an update of the kernel, `nvidia-smi` cannot communicate with the driver",
                  is_debian(state) ? "sudo dkms autoinstall && sudo modprobe nvidia"
                                   : "sudo akmods --force && sudo modprobe nvidia");
  }
  return broken("driver-not-loaded", "the NVIDIA driver is installed, but its module is not loaded",
                "`nvidia-smi` says that it cannot communicate with the driver",
                "sudo modprobe nvidia");
}

HostFinding judge_mismatch(const DriverState& state) {
  const std::string libraries =
      state.library_version.empty() ? "of another version" : state.library_version;
  const std::string module =
      state.module_version.empty() ? "an older one" : "still " + state.module_version;
  return broken(
      "driver-mismatch",
      fmt::format("the driver was updated, but not restarted: its libraries are {}, the loaded "
                  "kernel module is {}",
                  libraries, module),
      fmt::format("`nvidia-smi` says `Driver/library version mismatch`, {}", kNoCuda),
      "sudo reboot\n"
      "sudo rmmod nvidia_uvm nvidia_drm nvidia_modeset nvidia && sudo modprobe nvidia  # instead, "
      "where nothing uses the GPU");
}

/// NVML does not start; each known reason has a remedy of its own.
HostFinding judge_failure(const DriverState& state) {
  const std::string says = fmt::format("`nvidia-smi` says `{}`", state.nvml_words);
  switch (state.nvml_status) {
    case nvml_status::kVersionMismatch:
      return judge_mismatch(state);
    case nvml_status::kGpuIsLost:
      return broken("driver-lost", "the driver lost the GPU: it has fallen off the PCI bus", says,
                    "sudo reboot");
    case nvml_status::kNoPermission:
      return broken("driver-denied", "this user may not talk to the driver", says, "");
    case nvml_status::kOperatingSystem:
      return broken("driver-blocked",
                    "the driver's device is blocked for this process, often by a control group",
                    says, "cat /proc/self/cgroup");
    default:
      break;
  }
  return broken("driver-fails",
                fmt::format("the NVIDIA driver does not start: {}", state.nvml_words), says,
                "sudo dmesg | grep -i nvrm | tail");
}

HostFinding judge_version(const DriverState& state) {
  std::string text = fmt::format("NVIDIA driver {}", state.host.driver_version);
  if (!state.host.cuda_version.empty())
    text += fmt::format(", CUDA up to {}", state.host.cuda_version);
  if (state.is_open_module) text += ", open kernel modules";
  if (state.is_wsl) text += ", of Windows (WSL2)";
  return {"driver", "driver", Severity::Ok, text, "", ""};
}

HostFinding judge_no_devices(const DriverState& state) {
  return broken("driver-no-devices",
                fmt::format("the NVIDIA driver {} runs, but finds no GPU that it can use",
                            state.module_version),
                "`nvidia-smi` says `No devices were found`", "sudo dmesg | grep -i nvrm | tail");
}

bool has_cuda_library(const HostGpus& host) {
  return std::any_of(host.libraries.begin(), host.libraries.end(), [](const std::string& path) {
    return base_name(path).starts_with("libcuda.so");
  });
}

HostFinding judge_no_cuda_library(const DriverState& state) {
  const std::string branch =
      state.host.driver_version.substr(0, state.host.driver_version.find('.'));
  return broken(
      "driver-no-libcuda",
      fmt::format("the driver's library libcuda.so.{} is not installed", state.host.driver_version),
      fmt::format("`nvidia-smi` works, but {}", kNoCuda),
      state.distribution.id == "ubuntu"
          ? fmt::format("sudo apt-get install libnvidia-compute-{}", branch)
          : install_command(state.distribution, "libcuda1", "xorg-x11-drv-nvidia-cuda-libs"));
}

/// CUDA does not start, and nothing else says why.
HostFinding judge_cuda(const CudaProbe& cuda) {
  constexpr int kNotReady = 802;  // cuda.h: CUDA_ERROR_SYSTEM_NOT_READY
  constexpr int kUnknown = 999;   // cuda.h: CUDA_ERROR_UNKNOWN
  const std::string words = cuda.words.empty() ? std::string("an error") : cuda.words;
  return broken("driver-cuda-fails",
                cuda.status == 0 ? std::string("CUDA starts, but sees no GPU")
                                 : fmt::format("CUDA does not start: {} ({})", words, cuda.status),
                fmt::format("`nvidia-smi` works, but {}", kNoCuda),
                cuda.status == kNotReady  ? "sudo systemctl enable --now nvidia-fabricmanager"
                : cuda.status == kUnknown ? "sudo rmmod nvidia_uvm && sudo modprobe nvidia_uvm && "
                                            "sudo nvidia-modprobe -u -c=0"
                                          : "sudo dmesg | grep -i nvrm | tail");
}

bool is_any_broken(const HostFindings& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const HostFinding& finding) {
    return finding.severity == Severity::Broken;
  });
}

}  // namespace

std::string install_driver_command(const Distribution& distribution) {
  if (distribution.id == "ubuntu") return "sudo ubuntu-drivers install";
  switch (distribution.family) {
    case Distribution::Family::Suse:
      return "sudo zypper install nvidia-open-driver-G06-signed-kmp-default";
    case Distribution::Family::Arch:
      return "sudo pacman -S nvidia-open";
    default:
      return install_command(distribution, "nvidia-driver", "akmod-nvidia");
  }
}

bool has_working_gpu(const DriverState& state) {
  return std::any_of(state.gpus.begin(), state.gpus.end(),
                     [](const GpuState& gpu) { return gpu.status == nvml_status::kSuccess; });
}

HostFindings judge_driver(const DriverState& state) {
  const bool answers = state.library_found && state.nvml_status == nvml_status::kSuccess;
  if (!answers && state.nouveau_loaded && !state.module_loaded && !state.pci.empty())
    return {judge_nouveau(state)};
  if (!answers && !state.module_loaded && !state.is_wsl) return {judge_not_loaded(state)};
  if (!state.library_found) {
    return {broken("driver-no-library",
                   state.is_wsl ? "WSL2 shows the GPU, but the driver's libraries are not in "
                                  "/usr/lib/wsl/lib"
                                : "the NVIDIA kernel module is loaded, but its library "
                                  "libnvidia-ml.so.1 is not installed",
                   "`nvidia-smi` is missing or cannot start",
                   state.is_wsl ? "wsl.exe --update" : install_driver_command(state.distribution))};
  }
  if (!answers) return {judge_failure(state)};
  HostFindings findings;
  if (state.gpus.empty()) return {judge_no_devices(state)};
  findings.push_back(judge_version(state));
  if (!state.host.driver_version.empty() && !has_cuda_library(state.host))
    findings.push_back(judge_no_cuda_library(state));
  for (HostFinding& finding : judge_driver_age(state)) findings.push_back(std::move(finding));
  return findings;
}

HostFindings judge_driver_state(const DriverState& state, const Caller& caller) {
  const bool has_trace =
      !state.pci.empty() || state.module_loaded || state.library_found || state.is_wsl;
  if (!has_trace) {
    return {{"gpu-none", "gpu", Severity::Note,
             "no NVIDIA GPU on this machine: images run on the CPU", "", ""}};
  }
  const bool all_passed_on =
      !state.pci.empty() && std::all_of(state.pci.begin(), state.pci.end(),
                                        [](const PciGpu& gpu) { return gpu.driver == "vfio-pci"; });
  if (all_passed_on) {
    return {{"gpu-passed-on", "gpu", Severity::Note,
             "the NVIDIA GPUs are set aside for virtual machines (vfio-pci)", "", ""}};
  }
  HostFindings findings = judge_gpus(state);
  for (auto& part : {judge_driver(state), judge_device_nodes(state, caller)})
    findings.insert(findings.end(), part.begin(), part.end());
  if (state.cuda && (state.cuda->status != 0 || state.cuda->devices == 0) &&
      !is_any_broken(findings)) {
    findings.push_back(judge_cuda(*state.cuda));
  }
  return findings;
}

}  // namespace slipway::gpu
