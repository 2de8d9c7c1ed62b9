/// The OCI runtimes that this machine has, and how each must be called here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/sandbox_room.h"
#include "base/sandbox_steps.h"
#include "base/unique_fd.h"
#include "run/container.h"
#include "run/limits.h"

namespace slipway::run {

struct RuntimeProgram {
  Runtime kind = Runtime::Crun;
  std::string path;
};

const char* name_of(Runtime kind);

/// Those installed, best first: crun (it starts in a third of the time), then runc. Fails with
/// NotFound where there is none, or not the one wanted.
Result<std::vector<RuntimeProgram>> find_runtimes(Runtime wanted);

struct RuntimeCall {
  std::string state_folder;
  std::string log_path;
  std::string bundle_folder;
  std::string id;
  bool has_cgroup = false;
};

/// The argument list for `command` of the runtime, with where it keeps its state and its log.
std::vector<std::string> make_call(const RuntimeProgram& program, const RuntimeCall& call,
                                   const std::vector<std::string>& command);

/// The argument list for a start in one call, after which the runtime leaves: the container's
/// process id lies in `pid` of the bundle folder. So nothing of it stays in memory.
std::vector<std::string> make_run_arguments(const RuntimeProgram& program, const RuntimeCall& call);

/// Those for a start in two calls; the process id lies in `pid` after the first. A terminal's
/// master comes through the socket `console` of the bundle folder (the current one). Runtimes can
/// hold a terminal themselves, but crun 1.8.1 then loses the last output now and then, and both set
/// its size only after the command has started.
std::vector<std::string> make_create_arguments(const RuntimeProgram& program,
                                               const RuntimeCall& call, Terminal terminal);
std::vector<std::string> make_start_arguments(const RuntimeProgram& program,
                                              const RuntimeCall& call);

/// One more process in the container, from `process_file` in the bundle folder (the current one);
/// the runtime leaves when it runs, its process id lies in `pid`. With a terminal, `console_socket`
/// is where its master comes.
std::vector<std::string> make_exec_arguments(const RuntimeProgram& program, const RuntimeCall& call,
                                             const std::string& console_socket,
                                             const std::string& process_file);

/// What must be done in the private mount namespace before this runtime works.
/// crun up to 1.8 refuses hybrid control groups when the version 2 tree has controllers ("cgroups
/// in hybrid mode not supported"); not seeing that tree helps.
std::vector<ChildStep> make_runtime_steps(const RuntimeProgram& program, const HostLimits& host,
                                          bool in_user_namespace);

/// A runtime copies itself before it starts anything, so that no container can write to it
/// (CVE-2019-5736), unless this variable is set and it lies on a read-only mount.
inline constexpr const char* kSealedRuntime = "_LIBCONTAINER_CLONED_BINARY=1";

/// Such a mount, to be moved over `program`'s file in the room, where it spares that copy.
Result<UniqueFd> seal_runtime(const RuntimeProgram& program);

/// All that a runtime gets of our environment: where programs are.
std::vector<std::string> runtime_environment();

/// What went wrong in a room in which a runtime should have started something, by its log or by how
/// it ended; empty where nothing did.
std::string find_runtime_error(const RoomEnd& end, const RoomRequest& request,
                               const std::string& log_path);

/// What a runtime's log (`--log-format json`) says went wrong; the first error's message, or empty.
/// Lines that are no JSON are taken as they are.
std::string parse_runtime_log(std::string_view text);

/// 127 or 126 where the message says that the command was not found or may not be executed; else 0.
int command_problem_in(std::string_view message);

}  // namespace slipway::run
