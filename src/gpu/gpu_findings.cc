#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "gpu/compatibility.h"
#include "gpu/driver_findings.h"

namespace slipway::gpu {
namespace {

HostFinding finding(std::string id, Severity severity, std::string message, std::string symptom,
                    std::string remedy) {
  return {std::move(id),    "gpu", severity, std::move(message), std::move(symptom),
          std::move(remedy)};
}

std::string name_of(const GpuState& state) {
  return state.gpu.name.empty() ? fmt::format("GPU {}", state.index)
                                : fmt::format("GPU {} ({})", state.index, state.gpu.name);
}

std::string reset(const GpuState& state) {
  return fmt::format("sudo nvidia-smi --gpu-reset -i {}", state.index);
}

double gibibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1ULL << 30); }

/// `0-3, 5`
std::string ranges_text(const std::vector<unsigned>& numbers) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    parts.push_back(last == i ? fmt::format("{}", numbers[i])
                              : fmt::format("{}-{}", numbers[i], numbers[last]));
    i = last + 1;
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

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
    lines.push_back(finding("gpu", Severity::Ok, text, "", ""));
  }
  return lines;
}

void judge_answer(const GpuState& state, HostFindings& findings) {
  if (state.status == nvml_status::kGpuIsLost) {
    findings.push_back(
        finding("gpu-lost", Severity::Broken,
                fmt::format("GPU {} is lost: it has fallen off the PCI bus", state.index),
                "`nvidia-smi` says `GPU is lost`, programs on it hang or end with a CUDA error",
                "sudo reboot"));
  } else if (state.status == nvml_status::kResetRequired) {
    findings.push_back(finding("gpu-needs-reset", Severity::Broken,
                               fmt::format("GPU {} has to be reset", state.index),
                               "CUDA programs on it end with an error at once", reset(state)));
  } else {
    findings.push_back(
        finding("gpu-fails", Severity::Broken,
                fmt::format("GPU {} does not answer: {}", state.index, state.status_words),
                "programs on it end with a CUDA error", "sudo dmesg | grep -i nvrm | tail"));
  }
}

void judge_mode(const GpuState& state, HostFindings& findings) {
  const auto mode = state.compute_mode.value_or(ComputeMode::Default);
  if (mode == ComputeMode::Prohibited) {
    findings.push_back(finding(
        "gpu-prohibited", Severity::Broken,
        fmt::format("{} is set to refuse every program (compute mode Prohibited)", name_of(state)),
        "CUDA says `all CUDA-capable devices are busy or unavailable`",
        fmt::format("sudo nvidia-smi -i {} -c DEFAULT", state.index)));
  } else if (mode != ComputeMode::Default) {
    findings.push_back(finding(
        "gpu-exclusive", Severity::Note,
        fmt::format("{} takes one program at a time (compute mode Exclusive)", name_of(state)),
        "a second program gets `all CUDA-capable devices are busy or unavailable`",
        fmt::format("sudo nvidia-smi -i {} -c DEFAULT", state.index)));
  }
}

void judge_partitions(const GpuState& state, HostFindings& findings) {
  if (state.mig && state.mig_pending && *state.mig != *state.mig_pending) {
    findings.push_back(finding("gpu-mig-pending", Severity::Warning,
                               fmt::format("{} changes its MIG mode to {} at the next reset",
                                           name_of(state), *state.mig_pending ? "on" : "off"),
                               "`nvidia-smi` marks its MIG mode with a star", reset(state)));
  }
  if (!state.mig.value_or(false)) return;
  if (state.mig_devices == 0) {
    findings.push_back(finding(
        "gpu-mig-empty", Severity::Broken,
        fmt::format("{} is in MIG mode, but has no MIG device", name_of(state)),
        "CUDA says `no CUDA-capable device is detected`",
        fmt::format(
            "sudo nvidia-smi mig -i {0} -lgip  # profiles; then: sudo nvidia-smi mig -i {0} "
            "-cgi PROFILE -C\nsudo nvidia-smi -i {0} -mig 0  # or: no MIG",
            state.index)));
    return;
  }
  findings.push_back(
      finding("gpu-mig", Severity::Note,
              fmt::format("{} is divided into {} MIG device{}; a program sees one of them",
                          name_of(state), state.mig_devices, state.mig_devices == 1 ? "" : "s"),
              "", ""));
}

void judge_health(const GpuState& state, bool cuda_starts, HostFindings& findings) {
  if (state.repair_failed) {
    findings.push_back(finding("gpu-memory-failed", Severity::Warning,
                               name_of(state) + " has memory that cannot be repaired any more",
                               "programs on it end with `uncorrectable ECC error`",
                               fmt::format("nvidia-smi -q -d ROW_REMAPPER -i {}", state.index)));
  } else if (state.repair_pending) {
    findings.push_back(finding("gpu-memory-pending", Severity::Warning,
                               name_of(state) + " repairs memory at its next reset",
                               "until then programs may end with an ECC error", reset(state)));
  } else if (state.uncorrected_errors > 0) {
    findings.push_back(
        finding("gpu-ecc", Severity::Warning,
                fmt::format("{} had {} memory error{} that could not be corrected", name_of(state),
                            state.uncorrected_errors, state.uncorrected_errors == 1 ? "" : "s"),
                "programs end with `uncorrectable ECC error encountered`", reset(state)));
  }
  if (state.is_throttled) {
    findings.push_back(finding(
        "gpu-throttled", Severity::Warning,
        fmt::format("{} is slowed down by heat or its power supply{}", name_of(state),
                    state.celsius ? fmt::format(" ({} °C)", *state.celsius) : std::string()),
        "training is slower than it was", "nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER"));
  }
  if (state.needs_fabric && !state.has_fabric && !cuda_starts) {
    findings.push_back(finding("gpu-fabric", Severity::Broken,
                               name_of(state) + " waits for the NVSwitch fabric to be set up",
                               "CUDA says `system not yet initialized` (802)",
                               "sudo systemctl enable --now nvidia-fabricmanager"));
  }
  const std::uint64_t total = state.gpu.memory_bytes;
  if (total > 0 && gibibytes(state.used_bytes.value_or(0)) > 0.9 * gibibytes(total)) {
    findings.push_back(
        finding("gpu-full", Severity::Warning,
                fmt::format("{} has {:.1f} of {:.1f} GiB in use", name_of(state),
                            gibibytes(*state.used_bytes), gibibytes(total)),
                "programs end with `CUDA out of memory`",
                "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv"));
  }
}

/// One note for all: it is a setting of the host, not of a GPU.
void judge_persistence(const DriverState& state, HostFindings& findings) {
  const bool is_off = std::any_of(state.gpus.begin(), state.gpus.end(), [](const GpuState& gpu) {
    return gpu.persistence && !*gpu.persistence;
  });
  if (!is_off || state.is_wsl) return;
  findings.push_back(finding(
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
    findings.push_back(finding(
        "gpu-unlisted", Severity::Warning,
        fmt::format("the GPU {} at {} is on the PCI bus, but the driver does not list it", pci.id,
                    pci.slot),
        "`nvidia-smi` shows fewer GPUs than the machine has", "sudo dmesg | grep -i nvrm | tail"));
  }
}

void judge_xids(const DriverState& state, HostFindings& findings) {
  for (const XidMessage& xid : state.xids) {
    const XidMeaning meaning = find_xid_meaning(xid.number);
    findings.push_back(finding("gpu-xid", meaning.severity,
                               fmt::format("the kernel's log has Xid {} for the GPU at {}: {}",
                                           xid.number, xid.slot, meaning.words),
                               "", "sudo dmesg | grep Xid"));
  }
}

}  // namespace

HostFindings judge_gpus(const DriverState& state) {
  HostFindings findings = list_kinds(state);
  const bool cuda_starts = state.cuda && state.cuda->status == 0 && state.cuda->devices > 0;
  for (const GpuState& gpu : state.gpus) {
    if (gpu.status != nvml_status::kSuccess) {
      judge_answer(gpu, findings);
      continue;
    }
    judge_mode(gpu, findings);
    judge_partitions(gpu, findings);
    judge_health(gpu, cuda_starts, findings);
  }
  judge_persistence(state, findings);
  judge_unlisted(state, findings);
  judge_xids(state, findings);
  return findings;
}

}  // namespace slipway::gpu
