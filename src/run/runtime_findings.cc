#include <fmt/ranges.h>

#include <array>

#include "run/host_findings.h"

namespace slipway::run {
namespace {

using gpu::HostFinding;
using gpu::HostFindings;
using gpu::Severity;

HostFinding container(std::string id, Severity severity, std::string message,
                      std::string symptom = "", std::string remedy = "") {
  return {std::move(id),      "container",        severity,
          std::move(message), std::move(symptom), std::move(remedy)};
}

/// `1.1.5` -> {1, 1, 5}; what a distribution or a pre-release adds (`+ds1`, `-rc.2`) is left out.
std::array<int, 3> numbers_of(std::string_view text) {
  std::array<int, 3> numbers{};
  std::size_t at = 0;
  for (const char c : text) {
    if (c == '.') {
      if (++at == numbers.size()) break;
    } else if (c < '0' || c > '9') {
      break;
    } else if (numbers[at] < 100000) {
      numbers[at] = numbers[at] * 10 + (c - '0');
    }
  }
  return numbers;
}

}  // namespace

std::string find_runtime_problem(const RuntimeVersion& runtime) {
  if (runtime.version.empty()) return {};
  const std::array<int, 3> version = numbers_of(runtime.version);
  // The projects' security advisories. 1.3.0 to 1.3.2 were made before 1.2.8.
  if (runtime.name == "runc") {
    if (version < std::array{1, 1, 12}) return "before 1.1.12, which fixed CVE-2024-21626";
    const bool is_old_1_3 = version >= std::array{1, 3, 0} && version < std::array{1, 3, 3};
    if (version < std::array{1, 2, 8} || is_old_1_3) {
      return fmt::format("before {}, which fixed CVE-2025-31133, -52565 and -52881",
                         is_old_1_3 ? "1.3.3" : "1.2.8");
    }
    if (runtime.version.starts_with("1.4.0-rc.1") || runtime.version.starts_with("1.4.0-rc.2")) {
      return "before 1.4.0-rc.3, which fixed CVE-2025-31133, -52565 and -52881";
    }
  }
  if (runtime.name == "crun" && version < std::array{1, 28, 0})
    return "before 1.28, which fixed CVE-2026-47766";
  return {};
}

gpu::HostFindings judge_runtimes(const HostState& state) {
  if (state.runtimes.empty()) {
    return {container("runtime-missing", Severity::Broken, "neither crun nor runc is installed",
                      "`slipway run` says `no container runtime`",
                      install_command(state.distribution, "crun", "crun"))};
  }
  HostFindings findings;
  std::vector<std::string> names;
  for (const RuntimeVersion& runtime : state.runtimes) {
    if (runtime.version.empty()) {
      findings.push_back(container(
          "runtime-fails", Severity::Warning, fmt::format("{} does not start", runtime.name),
          fmt::format("`{} --version` fails", runtime.name),
          install_command(state.distribution, "--reinstall " + runtime.name, runtime.name)));
      continue;
    }
    names.push_back(runtime.name + " " + runtime.version);
    const std::string problem = find_runtime_problem(runtime);
    if (problem.empty()) continue;
    findings.push_back(
        container("runtime-old", Severity::Note,
                  fmt::format("{} {} is {}; your distribution may have the fix without the number",
                              runtime.name, runtime.version, problem),
                  "an image made for it can get out of its container",
                  install_command(state.distribution, runtime.name, runtime.name)));
  }
  if (!names.empty()) {
    findings.insert(findings.begin(),
                    container("runtime", Severity::Ok, fmt::format("{}", fmt::join(names, ", "))));
  }
  return findings;
}

}  // namespace slipway::run
