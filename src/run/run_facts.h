/// What a record says about a run: what it was asked to be (run.json, written once) and how it is
/// (state.json, written anew at each change). docs/formats/run.md has the fields.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/utc_time.h"
#include "run/restart.h"

namespace slipway::run {

struct LogLimits {
  std::uint64_t most_bytes = 16 << 20;  ///< of one file
  int most_files = 2;
  bool operator==(const LogLimits&) const = default;
};

struct RunFacts {
  std::string id;  ///< 32 hex digits
  std::string name;
  std::string image;         ///< as people name it
  std::string image_digest;  ///< of the manifest; empty outside the store
  std::string lock;          ///< sha256 of the slipway.lock that made it; empty: another tool's
  std::vector<std::string> command;
  UtcTime created{};
  bool is_detached = false;
  bool has_terminal = false;
  bool has_input = false;
  bool removes_itself = false;  ///< `--rm`
  RestartPolicy restart;
  int stop_signal = 15;
  int stop_seconds = 10;
  std::map<std::string, std::string> labels;
  LogLimits log;
  uid_t uid = 0;  ///< inside
  gid_t gid = 0;
  std::vector<gid_t> additional_gids;
  std::vector<std::string> environment;
  std::string working_folder = "/";
  bool operator==(const RunFacts&) const = default;
};

enum class RunStatus { Created, Running, Restarting, Exited, Lost };
std::string_view status_word(RunStatus status);

struct RunState {
  RunStatus status = RunStatus::Created;
  pid_t room_pid = 0;  ///< the first process of its namespaces, as the monitor's host sees it
  std::uint64_t room_birth = 0;  ///< field 22 of proc_pid_stat(5): pids come again
  pid_t monitor_pid = 0;
  pid_t program_pid = 0;           ///< the container's process 1, seen from the host; 0: not known
  std::string runtime;             ///< path of crun or runc, once it has started
  std::string group;               ///< control group, as runtimes want it; empty: none of its own
  std::vector<std::string> ports;  ///< published now: `127.0.0.1:8888->8888/tcp`
  std::optional<UtcTime> started, finished;
  int exit_status = 0;
  int restarts = 0;
  bool was_stopped = false;  ///< on request
  bool out_of_memory = false;
  std::string error;
  std::string loss;  ///< of its GPUs, in plain words, while it runs (device_watch.h)
  bool operator==(const RunState&) const = default;
};

std::string write_run_facts(const RunFacts& facts);
std::string write_run_state(const RunState& state);
/// Fail with Corrupt.
Result<RunFacts> parse_run_facts(std::string_view text);
Result<RunState> parse_run_state(std::string_view text);

}  // namespace slipway::run
