#include <fmt/format.h>

#include "base/size_text.h"
#include "run/host_findings.h"

namespace slipway::run {
namespace {

using gpu::HostFinding;
using gpu::HostFindings;
using gpu::Severity;

constexpr std::uint64_t kGigabyte = 1000000000;
// torch 2.6 with CUDA: 5.7 GB unpacked, 3 GB of wheels.
constexpr std::uint64_t kComfortableBytes = 10 * kGigabyte;
constexpr std::uint64_t kFewestBytes = kGigabyte;
constexpr std::uint64_t kFewestMemoryBytes = 2 * kGigabyte;
constexpr std::int64_t kEarliestTime = 1735689600;  // 2025-01-01: before this program
constexpr std::int64_t kLatestTime = 4102444800;    // 2100-01-01
constexpr std::uint64_t kEnoughLockedBytes = 1ULL << 30;

HostFinding machine(std::string id, Severity severity, std::string message,
                    std::string symptom = "", std::string remedy = "") {
  return {std::move(id),      "system",           severity,
          std::move(message), std::move(symptom), std::move(remedy)};
}

void judge_folder(const char* name, const char* variable, const FolderState& folder,
                  HostFindings& findings) {
  const std::string id(name);
  if (!folder.is_writable) {
    const char* const mend = folder.exists ? "chown -R $USER" : "install -d -o $USER";
    findings.push_back(machine(id + "-closed", Severity::Broken,
                               fmt::format("the {} {} cannot be written to", name, folder.path),
                               "`slipway build` says `Permission denied`",
                               fmt::format("sudo {} {}", mend, folder.path)));
    return;
  }
  const std::string space =
      fmt::format("{} free on {}", size_text(folder.free_bytes), folder.file_system);
  if (folder.free_bytes >= kComfortableBytes) {
    findings.push_back(
        machine(id, Severity::Ok, fmt::format("{} {}: {}", name, folder.path, space)));
    return;
  }
  findings.push_back(
      machine(id + "-full", folder.free_bytes < kFewestBytes ? Severity::Broken : Severity::Warning,
              fmt::format("the {} {} has only {}; an image with PyTorch and CUDA takes 9 GB", name,
                          folder.path, space),
              "`slipway build` says `No space left on device`",
              fmt::format("slipway gc\nexport {}=/path/on/a/larger/disk  # or there", variable)));
}

}  // namespace

gpu::HostFindings judge_machine(const HostState& state) {
  HostFindings findings;
  judge_folder("store", "SLIPWAY_HOME", state.store, findings);
  judge_folder("cache", "SLIPWAY_CACHE", state.cache, findings);
  const bool is_short = state.available_bytes < kFewestMemoryBytes;
  findings.push_back(machine(
      is_short ? "memory-low" : "memory", is_short ? Severity::Warning : Severity::Ok,
      fmt::format("{} of {} memory available, {:g} core{}", memory_text(state.available_bytes),
                  memory_text(state.memory_bytes), state.cores, state.cores == 1 ? "" : "s"),
      is_short ? "programs end with status 137: the kernel kills them for memory" : "",
      is_short ? "ps aux --sort=-rss | head" : ""));
  if (state.unix_time < kEarliestTime || state.unix_time > kLatestTime) {
    findings.push_back(machine("clock-wrong", Severity::Broken, "the clock is years off",
                               "downloads fail: certificates seem expired, or not yet valid",
                               "sudo timedatectl set-ntp true"));
  }
  if (state.has_infiniband && state.most_locked_bytes < kEnoughLockedBytes) {
    findings.push_back(
        machine("memlock-low", Severity::Warning,
                fmt::format("there is InfiniBand, but only {} of memory may be locked",
                            memory_text(state.most_locked_bytes)),
                "NCCL falls back to TCP without a word, and training on several machines is slow",
                "echo '* - memlock unlimited' | sudo tee /etc/security/limits.d/memlock.conf  # "
                "then log in "
                "again"));
  }
  return findings;
}

}  // namespace slipway::run
