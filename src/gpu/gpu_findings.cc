#include "gpu/gpu_findings.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "gpu/compatibility.h"
#include "gpu/driver_findings.h"

namespace slipway::gpu {
namespace {

/// ` (Hopper)`; empty for a chip that is newer than this program.
std::string generation(int major, int minor) {
  for (const Architecture& known : compatibility_tables().architectures) {
    if (known.capability == ComputeCapability{major, minor})
      return fmt::format(" ({})", known.name);
  }
  return {};
}

/// One line for all GPUs of one kind: eight of them are one thing to a reader.
HostFindings list_kinds(const DriverState& state) {
  using Kind = std::tuple<std::string, std::uint64_t, int, int>;
  struct Group {
    Kind kind;
    std::vector<unsigned> indexes;
    unsigned programs = 0;
  };
  std::vector<Group> groups;
  for (const GpuState& one : state.gpus) {
    if (one.status != nvml_status::kSuccess) continue;
    const Kind kind{one.gpu.name, one.gpu.memory_bytes, one.gpu.compute_major,
                    one.gpu.compute_minor};
    auto known = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& group) { return group.kind == kind; });
    if (known == groups.end()) known = groups.insert(groups.end(), {kind, {}});
    known->indexes.push_back(one.index);
    known->programs += one.processes.value_or(0);
  }
  HostFindings lines;
  for (const Group& group : groups) {
    const auto& [name, bytes, major, minor] = group.kind;
    std::string text = fmt::format("{}: ", ranges_text(group.indexes));
    if (group.indexes.size() > 1) text += fmt::format("{} x ", group.indexes.size());
    text += name;
    if (bytes > 0) text += fmt::format(", {:.0f} GiB", std::round(gibibytes(bytes)));
    text += fmt::format(", compute capability {}.{}{}", major, minor, generation(major, minor));
    if (group.programs > 0) {
      text += fmt::format(", {} program{} running", group.programs, group.programs == 1 ? "" : "s");
    }
    lines.push_back(gpu_finding("gpu", Severity::Ok, text, "", ""));
  }
  return lines;
}

/// One note for all: it is a setting of the host, not of a GPU.
void judge_persistence(const DriverState& state, HostFindings& findings) {
  const bool is_off = std::any_of(state.gpus.begin(), state.gpus.end(), [](const GpuState& gpu) {
    return gpu.persistence && !*gpu.persistence;
  });
  if (!is_off || state.is_wsl) return;
  findings.push_back(gpu_finding(
      "gpu-persistence", Severity::Note, "the driver is not kept awake (persistence mode is off)",
      "the first use of an idle GPU takes a second or more", "sudo nvidia-smi -pm 1"));
}

void judge_unlisted(const DriverState& state, HostFindings& findings) {
  if (state.gpus.empty()) return;
  for (const PciGpu& pci : state.pci) {
    const bool is_listed =
        std::any_of(state.gpus.begin(), state.gpus.end(), [&](const GpuState& gpu) {
          return gpu.pci_slot == pci.slot || gpu.status != nvml_status::kSuccess ||
                 gpu.pci_slot.empty();
        });
    if (is_listed || pci.driver == "vfio-pci") continue;
    findings.push_back(gpu_finding(
        "gpu-unlisted", Severity::Warning,
        fmt::format("the GPU {} at {} is on the PCI bus, but the driver does not list it", pci.id,
                    pci.slot),
        "`nvidia-smi` shows fewer GPUs than the machine has", "sudo dmesg | grep -i nvrm | tail"));
  }
}

void judge_xids(const DriverState& state, HostFindings& findings) {
  for (const XidMessage& xid : state.xids) {
    const XidMeaning meaning = find_xid_meaning(xid.number);
    findings.push_back(gpu_finding("gpu-xid", meaning.severity,
                                   fmt::format("the kernel's log has Xid {} for the GPU at {}: {}",
                                               xid.number, xid.slot, meaning.words),
                                   "", "sudo dmesg | grep Xid"));
  }
}

}  // namespace

HostFindings judge_gpus(const DriverState& state) {
  HostFindings findings = list_kinds(state);
  for (HostFinding& found : judge_each_gpu(state)) findings.push_back(std::move(found));
  judge_persistence(state, findings);
  judge_unlisted(state, findings);
  judge_xids(state, findings);
  return findings;
}

}  // namespace slipway::gpu
