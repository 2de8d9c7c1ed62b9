#include "run/runtime.h"

#include <sys/mount.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/environment.h"
#include "base/file.h"
#include "base/process.h"

namespace slipway::run {
namespace {

bool contains_any(std::string_view text, std::initializer_list<std::string_view> phrases) {
  return std::any_of(phrases.begin(), phrases.end(), [&](std::string_view phrase) {
    return text.find(phrase) != std::string_view::npos;
  });
}

}  // namespace

const char* name_of(Runtime kind) { return kind == Runtime::Runc ? "runc" : "crun"; }

Result<std::vector<RuntimeProgram>> find_runtimes(Runtime wanted) {
  std::vector<RuntimeProgram> programs;
  for (const Runtime kind : {Runtime::Crun, Runtime::Runc}) {
    if (wanted != Runtime::Automatic && wanted != kind) continue;
    if (std::optional<std::string> path = find_program(name_of(kind))) {
      programs.push_back({kind, std::move(*path)});
    }
  }
  if (!programs.empty()) return programs;
  return make_error(ErrorKind::NotFound, "no container runtime: {} is not installed",
                    wanted == Runtime::Automatic ? "neither `crun` nor `runc`"
                                                 : fmt::format("`{}`", name_of(wanted)))
      .hint("as root: `apt-get install crun`");
}

std::vector<std::string> make_call(const RuntimeProgram& program, const RuntimeCall& call,
                                   const std::vector<std::string>& command) {
  std::vector<std::string> arguments{
      program.path, "--root", call.state_folder, "--log", call.log_path, "--log-format", "json"};
  if (program.kind == Runtime::Crun) {
    arguments.emplace_back(call.has_cgroup ? "--cgroup-manager=cgroupfs"
                                           : "--cgroup-manager=disabled");
  }
  arguments.insert(arguments.end(), command.begin(), command.end());
  return arguments;
}

std::vector<std::string> make_run_arguments(const RuntimeProgram& program,
                                            const RuntimeCall& call) {
  return make_call(program, call,
                   {"run", "--detach", "--pid-file", call.bundle_folder + "/pid", "--bundle",
                    call.bundle_folder, call.id});
}

std::vector<std::string> make_create_arguments(const RuntimeProgram& program,
                                               const RuntimeCall& call, Terminal terminal) {
  std::vector<std::string> arguments =
      make_call(program, call, {"create", "--pid-file", call.bundle_folder + "/pid"});
  if (terminal == Terminal::Yes) {
    arguments.insert(arguments.end(), {"--console-socket", "console"});
  }
  arguments.insert(arguments.end(), {"--bundle", call.bundle_folder, call.id});
  return arguments;
}

std::vector<std::string> make_start_arguments(const RuntimeProgram& program,
                                              const RuntimeCall& call) {
  return make_call(program, call, {"start", call.id});
}

std::vector<std::string> make_exec_arguments(const RuntimeProgram& program, const RuntimeCall& call,
                                             const std::string& console_socket,
                                             const std::string& process_file) {
  // The user never goes through `-u`, which crun up to 1.26 could read wrong (CVE-2026-30892).
  std::vector<std::string> arguments =
      make_call(program, call,
                {"exec", "--detach", "--pid-file", call.bundle_folder + "/pid", "--process",
                 call.bundle_folder + "/" + process_file});
  if (!console_socket.empty()) {
    arguments.emplace_back("--console-socket");
    arguments.push_back(console_socket);
  }
  arguments.push_back(call.id);
  return arguments;
}

std::vector<ChildStep> make_runtime_steps(const RuntimeProgram& program, const HostLimits& host,
                                          bool in_user_namespace) {
  std::vector<ChildStep> steps;
  if (program.kind != Runtime::Crun || host.layout != CgroupLayout::Hybrid) return steps;
  if (in_user_namespace) {
    // Mounts that were there before the user namespace are locked: cover, not unmount.
    steps.push_back(make_mount("tmpfs", "/sys/fs/cgroup", "tmpfs",
                               MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "mode=755,size=4k"));
    return steps;
  }
  ChildStep step;
  step.call = ChildStep::Call::Unmount;
  step.path = host.unified_path;
  step.flags = MNT_DETACH;
  steps.push_back(std::move(step));
  return steps;
}

Result<UniqueFd> seal_runtime(const RuntimeProgram& program) {
  UniqueFd mount = TRY(copy_mount(program.path, Submounts::Without));
  TRY(make_read_only(mount.get(), Submounts::Without));
  return mount;
}

std::vector<std::string> runtime_environment() {
  return {"PATH=" + find_environment("PATH").value_or("/usr/bin:/bin") + ":/usr/sbin:/sbin",
          kSealedRuntime};
}

std::string find_runtime_error(const RoomEnd& end, const RoomRequest& request,
                               const std::string& log_path) {
  if (end.kind != RoomEnd::Kind::Exited) return room_error(end, request).message;
  if (end.status == 0) return "";
  const Result<std::string> log = read_file(log_path);
  std::string message = log.ok() ? parse_runtime_log(*log) : "";
  if (!message.empty()) return message;
  return fmt::format("it ended with status {} and logged nothing", end.status);
}

std::string parse_runtime_log(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object()) return std::string(line);
    const auto field = [&](const char* name) {
      const auto found = entry.find(name);
      return found != entry.end() && found->is_string() ? found->get<std::string>() : "";
    };
    const std::string level = field("level");
    if (level == "error" || level == "fatal") return field("msg");
  }
  return "";
}

int command_problem_in(std::string_view message) {
  // Messages about mounts name files too: only these speak of the command.
  if (!contains_any(message, {"executable file", "exec: ", "execve", "open executable",
                              "find executable", "exec `"})) {
    return 0;
  }
  if (contains_any(message, {"ermission denied", "xec format error", "s a directory"})) return 126;
  if (contains_any(message, {"not found", "o such file"})) return 127;
  return 0;
}

}  // namespace slipway::run
