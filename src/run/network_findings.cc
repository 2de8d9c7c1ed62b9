#include "run/host_findings.h"

namespace slipway::run {
namespace {

constexpr const char* kSymptom = "`slipway run -p` and `--network private` are refused";

}  // namespace

gpu::HostFindings judge_network(const HostState& state, const gpu::Caller& caller) {
  gpu::HostFindings findings;
  if (!state.has_pasta) {
    findings.push_back({"pasta-missing", "container", gpu::Severity::Note,
                        "pasta is not installed: no private networks and no published ports",
                        kSymptom, gpu::install_command(state.distribution, "passt", "passt")});
  } else if (caller.uid != 0 && !state.tun_is_open) {
    findings.push_back({"tun-closed", "container", gpu::Severity::Note,
                        "/dev/net/tun is not open to you: no private networks and no published "
                        "ports",
                        kSymptom, "sudo chmod 666 /dev/net/tun"});
  }
  return findings;
}

}  // namespace slipway::run
