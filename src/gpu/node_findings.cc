#include <fmt/ranges.h>

#include "gpu/driver_findings.h"

namespace slipway::gpu {
namespace {

constexpr const char* kOpenNodes =
    "echo 'options nvidia NVreg_DeviceFileMode=0666' | sudo tee "
    "/etc/modprobe.d/nvidia-device-files.conf && sudo chmod 666 /dev/nvidia*";

HostFinding judge_missing(const DeviceNode& node, const DriverState& state) {
  HostFinding finding{
      "node-missing", "devices", Severity::Broken, node.path + " is missing", "", ""};
  if (node.path == "/dev/nvidia-uvm") {
    finding.id = "node-uvm-missing";
    finding.symptom = "`nvidia-smi` works, CUDA says `unknown error` (999)";
    finding.remedy = "sudo nvidia-modprobe -u -c=0";
    if (!state.uvm_loaded) finding.message += ": the module nvidia_uvm is not loaded";
  } else if (node.path == "/dev/nvidiactl") {
    finding.symptom = "`nvidia-smi` cannot start";
    finding.remedy = "sudo nvidia-smi";
  } else {
    finding.symptom = "CUDA does not see this GPU";
    finding.remedy = "sudo nvidia-modprobe -c=" + node.path.substr(node.path.rfind('a') + 1);
  }
  return finding;
}

HostFinding judge_denied(const DeviceNode& node) {
  const bool group_may = (node.mode & 060U) == 060U && node.gid != 0;
  return {"node-denied",
          "devices",
          Severity::Broken,
          group_may ? fmt::format("{} is open to the group `{}` only, and you are not in it",
                                  node.path, node.group)
                    : fmt::format("{} is closed to you (mode {:03o})", node.path, node.mode),
          "`nvidia-smi` says `Insufficient Permissions`",
          group_may ? fmt::format("sudo usermod -aG {} $USER  # then log in again", node.group)
                    : kOpenNodes};
}

}  // namespace

HostFindings judge_device_nodes(const DriverState& state, const Caller& caller) {
  HostFindings findings;
  std::vector<std::string> fine;
  std::vector<std::string> for_group;
  for (const DeviceNode& node : state.nodes) {
    if (!node.exists) {
      findings.push_back(judge_missing(node, state));
    } else if (!node.is_device) {
      findings.push_back({"node-not-a-device", "devices", Severity::Broken,
                          node.path + " is not a device, but an ordinary file",
                          "CUDA does not see the GPU",
                          fmt::format("sudo rm {} && sudo nvidia-modprobe -u -c=0", node.path)});
    } else if (!may_use(node, caller)) {
      findings.push_back(judge_denied(node));
    } else {
      fine.push_back(node.path);
      if (caller.uid != 0 && (node.mode & 06U) != 06U) for_group.push_back(node.path);
    }
  }
  if (!for_group.empty()) {
    findings.push_back(
        {"node-group", "devices", Severity::Warning,
         fmt::format("{} {} open to you through a group, which a container of an "
                     "ordinary user loses",
                     fmt::join(for_group, ", "), for_group.size() == 1 ? "is" : "are"),
         "the GPU works outside a container and not in it", kOpenNodes});
  } else if (findings.empty() && !fine.empty()) {
    constexpr std::size_t kMostNames = 4;
    const std::size_t more = fine.size() > kMostNames ? fine.size() - kMostNames + 1 : 0;
    fine.resize(fine.size() - more);
    findings.push_back({"nodes", "devices", Severity::Ok,
                        fmt::format("{}{} {} open to you", fmt::join(fine, ", "),
                                    more > 0 ? fmt::format(" and {} more", more) : std::string(),
                                    fine.size() + more == 1 ? "is" : "are"),
                        "", ""});
  }
  return findings;
}

}  // namespace slipway::gpu
