#include <fmt/ranges.h>

#include <algorithm>

#include "gpu/gpu_findings.h"

namespace slipway::gpu {
namespace {

// In what follows `%g` stands for the GPU and `%i` for its index, until all GPUs of which the same
// is true have become one finding.
constexpr const char* kReset = "sudo nvidia-smi --gpu-reset -i %i";

void judge_answer(const GpuState& state, HostFindings& findings) {
  if (state.status == nvml_status::kGpuIsLost) {
    findings.push_back(
        gpu_finding("gpu-lost", Severity::Broken, "%g: lost, fallen off the PCI bus",
                    "`nvidia-smi` says `GPU is lost`, programs on it hang or end with a CUDA error",
                    "sudo reboot"));
  } else if (state.status == nvml_status::kResetRequired) {
    findings.push_back(gpu_finding("gpu-needs-reset", Severity::Broken, "%g: unusable until reset",
                                   "CUDA programs on it end with an error at once", kReset));
  } else {
    findings.push_back(gpu_finding(
        "gpu-fails", Severity::Broken, fmt::format("%g: no answer ({})", state.status_words),
        "programs on it end with a CUDA error", "sudo dmesg | grep -i nvrm | tail"));
  }
}

void judge_mode(const GpuState& state, HostFindings& findings) {
  const auto mode = state.compute_mode.value_or(ComputeMode::Default);
  if (mode == ComputeMode::Prohibited) {
    findings.push_back(gpu_finding("gpu-prohibited", Severity::Broken,
                                   "%g: set to refuse every program (compute mode Prohibited)",
                                   "CUDA says `all CUDA-capable devices are busy or unavailable`",
                                   "sudo nvidia-smi -i %i -c DEFAULT"));
  } else if (mode != ComputeMode::Default) {
    findings.push_back(gpu_finding(
        "gpu-exclusive", Severity::Note, "%g: one program at a time (compute mode Exclusive)",
        "a second program gets `all CUDA-capable devices are busy or unavailable`",
        "sudo nvidia-smi -i %i -c DEFAULT"));
  }
}

void judge_partitions(const GpuState& state, HostFindings& findings) {
  if (state.mig && state.mig_pending && *state.mig != *state.mig_pending) {
    findings.push_back(gpu_finding(
        "gpu-mig-pending", Severity::Warning,
        fmt::format("%g: MIG mode goes {} at the next reset", *state.mig_pending ? "on" : "off"),
        "`nvidia-smi` marks its MIG mode with a star", kReset));
  }
  if (!state.mig.value_or(false)) return;
  if (state.mig_devices == 0) {
    findings.push_back(
        gpu_finding("gpu-mig-empty", Severity::Broken, "%g: in MIG mode, but without a MIG device",
                    "CUDA says `no CUDA-capable device is detected`",
                    "sudo nvidia-smi mig -i %i -lgip  # profiles; then: sudo nvidia-smi "
                    "mig -i %i -cgi PROFILE -C\nsudo nvidia-smi -i %i -mig 0  # or: no "
                    "MIG"));
    return;
  }
  findings.push_back(gpu_finding("gpu-mig", Severity::Note,
                                 fmt::format("%g: divided into {} MIG device{}; a program sees one",
                                             state.mig_devices, state.mig_devices == 1 ? "" : "s"),
                                 "", ""));
}

void judge_memory(const GpuState& state, HostFindings& findings) {
  if (state.repair_failed) {
    findings.push_back(gpu_finding("gpu-memory-failed", Severity::Warning,
                                   "%g: memory that cannot be repaired any more",
                                   "programs on it end with `uncorrectable ECC error`",
                                   "nvidia-smi -q -d ROW_REMAPPER -i %i"));
  } else if (state.repair_pending) {
    findings.push_back(gpu_finding("gpu-memory-pending", Severity::Warning,
                                   "%g: a repair of memory waits for a reset",
                                   "until then programs may end with an ECC error", kReset));
  } else if (state.uncorrected_errors > 0) {
    findings.push_back(
        gpu_finding("gpu-ecc", Severity::Warning,
                    fmt::format("%g: {} memory error{} that could not be corrected",
                                state.uncorrected_errors, state.uncorrected_errors == 1 ? "" : "s"),
                    "programs end with `uncorrectable ECC error encountered`", kReset));
  }
  const std::uint64_t total = state.gpu.memory_bytes;
  if (total > 0 && gibibytes(state.used_bytes.value_or(0)) > 0.9 * gibibytes(total)) {
    findings.push_back(
        gpu_finding("gpu-full", Severity::Warning,
                    fmt::format("%g: {:.1f} of {:.1f} GiB in use", gibibytes(*state.used_bytes),
                                gibibytes(total)),
                    "programs end with `CUDA out of memory`",
                    "nvidia-smi --query-compute-apps=pid,name,used_memory --format=csv"));
  }
}

void judge_health(const GpuState& state, bool cuda_starts, HostFindings& findings) {
  if (state.is_throttled) {
    findings.push_back(gpu_finding(
        "gpu-throttled", Severity::Warning,
        fmt::format("%g: slowed down by heat or the power supply{}",
                    state.celsius ? fmt::format(" ({} °C)", *state.celsius) : std::string()),
        "training is slower than it was", "nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER"));
  }
  if (state.needs_fabric && !state.has_fabric && !cuda_starts) {
    findings.push_back(gpu_finding("gpu-fabric", Severity::Broken,
                                   "%g: waiting for the NVSwitch fabric to be set up",
                                   "CUDA says `system not yet initialized` (802)",
                                   "sudo systemctl enable --now nvidia-fabricmanager"));
  }
}

HostFindings judge_one(const GpuState& state, bool cuda_starts) {
  HostFindings findings;
  if (state.status != nvml_status::kSuccess) {
    judge_answer(state, findings);
    return findings;
  }
  judge_mode(state, findings);
  judge_partitions(state, findings);
  judge_memory(state, findings);
  judge_health(state, cuda_starts, findings);
  return findings;
}

std::string replaced(std::string text, std::string_view mark, const std::string& by) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
    text.replace(at, mark.size(), by);
    at += by.size();
  }
  return text;
}

}  // namespace

HostFinding gpu_finding(std::string id, Severity severity, std::string message, std::string symptom,
                        std::string remedy) {
  return {std::move(id),    "gpu", severity, std::move(message), std::move(symptom),
          std::move(remedy)};
}

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

HostFindings judge_each_gpu(const DriverState& state) {
  const bool cuda_starts = state.cuda && state.cuda->status == 0 && state.cuda->devices > 0;
  struct Shared {
    HostFinding finding;
    std::string name;
    std::vector<unsigned> indexes;
  };
  std::vector<Shared> all;
  for (const GpuState& one : state.gpus) {
    for (HostFinding& found : judge_one(one, cuda_starts)) {
      auto known = std::find_if(all.begin(), all.end(), [&](const Shared& shared) {
        return shared.finding == found && shared.name == one.gpu.name;
      });
      if (known == all.end()) known = all.insert(all.end(), {std::move(found), one.gpu.name, {}});
      known->indexes.push_back(one.index);
    }
  }
  HostFindings findings;
  for (Shared& shared : all) {
    std::string who = (shared.indexes.size() == 1 ? "GPU " : "GPUs ") + ranges_text(shared.indexes);
    if (!shared.name.empty()) who += fmt::format(" ({})", shared.name);
    HostFinding& found = shared.finding;
    found.message = replaced(std::move(found.message), "%g", who);
    found.remedy =
        replaced(std::move(found.remedy), "%i", fmt::format("{}", fmt::join(shared.indexes, ",")));
    findings.push_back(std::move(found));
  }
  return findings;
}

}  // namespace slipway::gpu
