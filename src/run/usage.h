/// What runs use: from their control groups, where they have some, else by adding up processes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "run/run_list.h"

namespace slipway::run {

struct Usage {
  enum class From { Group, Processes } from = From::Processes;
  std::uint64_t cpu_microseconds = 0;
  std::uint64_t memory_bytes = 0;
  std::optional<std::uint64_t> memory_limit_bytes;
  std::optional<std::uint64_t> read_bytes, written_bytes;   ///< of disks
  std::optional<std::uint64_t> received_bytes, sent_bytes;  ///< of a network of its own
  std::uint64_t processes = 0;
};

/// Fails with NotFound where it has just ended.
Result<Usage> read_usage(const KnownRun& run);

/// Whether the kernel killed something in that group for want of memory. `group` as runtimes name
/// it.
bool ran_out_of_memory(const std::string& group);

/// The number behind `name ` in lines of `name number`. Pure.
std::optional<std::uint64_t> find_counter(std::string_view text, std::string_view name);

/// Host ids of the processes of a run: those in the pid namespace of its process 1.
std::vector<pid_t> list_processes(const KnownRun& run);

}  // namespace slipway::run
