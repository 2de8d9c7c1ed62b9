/// From what a host has for containers to what is wrong with it: the layers container and system.
/// Pure.
#pragma once

#include "gpu/host_finding.h"
#include "run/host_state.h"

namespace slipway::run {

gpu::HostFindings judge_host_state(const HostState& state, const gpu::Caller& caller);

/// The parts of it.
gpu::HostFindings judge_runtimes(const HostState& state);
gpu::HostFindings judge_namespaces(const HostState& state, const gpu::Caller& caller);
gpu::HostFindings judge_cgroups(const HostState& state, const gpu::Caller& caller);
gpu::HostFindings judge_network(const HostState& state, const gpu::Caller& caller);
gpu::HostFindings judge_machine(const HostState& state);

/// What is known against this version of a runtime; empty: nothing. Pure.
std::string find_runtime_problem(const RuntimeVersion& runtime);

}  // namespace slipway::run
