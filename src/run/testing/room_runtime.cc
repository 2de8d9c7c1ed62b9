/// Plays an OCI runtime for OCI's validation programs: the real one does the work, called as
/// Slipway calls it and in the rooms that Slipway makes.
///
///   ROOM_RUNTIME=/usr/bin/crun ROOM_FOLDER=DIR room_runtime create|start|state|kill|delete …
///   ROOM_RUNTIME=/usr/bin/crun ROOM_FOLDER=DIR room_runtime in PROGRAM…     any program in a room
///
/// `create` leaves a process behind that holds the container's room, as a run's monitor does. Every
/// other call enters that room, as `slipway exec` does; once it has ended, a new one is made. A
/// process id is told as the caller sees it.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/environment.h"
#include "base/file.h"
#include "base/sandbox_room.h"
#include "base/user_namespace.h"
#include "run/life.h"
#include "run/limits.h"
#include "run/runtime.h"

namespace {

using namespace slipway;
using namespace slipway::run;

struct Words {
  std::string command, id, bundle = ".", pid_file;
  std::vector<std::string> all;
};

Words parse_words(int count, char** words) {
  Words parsed;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    parsed.all.push_back(word);
    const bool has_value = i + 1 < count;
    if (word == "--bundle" && has_value) {
      parsed.all.push_back(parsed.bundle = words[++i]);
    } else if (word == "--pid-file" && has_value) {
      parsed.all.push_back(parsed.pid_file = words[++i]);
    } else if (parsed.command.empty()) {
      parsed.command = word;
    } else if (parsed.id.empty()) {
      parsed.id = word;
    }
  }
  return parsed;
}

struct Place {
  RuntimeProgram program;
  std::string folder;
  std::string here;

  std::string of(const Words& words, const char* name) const {
    return join_path(folder, fmt::format("{}.{}", words.id, name));
  }
  std::vector<std::string> call(const std::vector<std::string>& command) const {
    return make_call(
        program, {join_path(folder, "state"), join_path(folder, "log"), here, "", true}, command);
  }
};

RoomRequest make_room(const Place& place, std::vector<std::string> arguments) {
  RoomRequest request;
  request.arguments = std::move(arguments);
  request.environment = {"PATH=" + find_environment("PATH").value_or("/usr/bin:/bin")};
  request.working_folder = place.here;
  request.steps.push_back(make_mounts_private());
  request.steps.push_back(make_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  for (ChildStep& step :
       make_runtime_steps(place.program, read_host_limits(), in_user_namespace())) {
    request.steps.push_back(std::move(step));
  }
  return request;
}

Result<int> run_room(const Words& words, const RoomRequest& request) {
  Room room = TRY(Room::start(request));
  const RoomEnd end = room.wait();
  if (end.kind == RoomEnd::Kind::Exited) return end.status;
  // What the runtime has just started or sent a signal to has ended, and with it the room, the
  // runtime's process in it included.
  const bool can_end_it = words.command == "kill" || words.command == "start";
  if (end.kind == RoomEnd::Kind::Killed && can_end_it &&
      request.place == RoomRequest::Place::Here) {
    return 0;
  }
  return room_error(end, request);
}

pid_t read_number(const std::string& path) {
  const Result<std::string> text = read_file(path);
  return text.ok() ? std::atoi(text->c_str()) : 0;
}

/// In the room's process: to its end. `told` gets the status of `create`.
Result<void> hold_room(const Place& place, const Words& words, int told) {
  const std::string inner_pid = place.of(words, "inner");
  std::vector<std::string> command{"create",   "--pid-file", inner_pid,
                                   "--bundle", words.bundle, words.id};
  RoomRequest request = make_room(place, place.call(command));
  request.left_behind = RoomRequest::LeftBehind{{}, inner_pid, -1};
  Room room = TRY(Room::start(request));
  Room::News news = Room::News::None;
  while (news == Room::News::None) {
    pollfd report{room.report_fd(), POLLIN, 0};
    (void)::poll(&report, 1, -1);
    news = room.take_news();
  }
  int status = 1;
  if (news == Room::News::Started) {
    status = 0;
    TRY(write_file(place.of(words, "room"), fmt::format("{}", room.pid()), 0644));
    const std::string program = fmt::format("{}", pid_behind(room.program_fd()));
    TRY(write_file(place.of(words, "program"), program, 0644));
    if (!words.pid_file.empty()) TRY(write_file(words.pid_file, program, 0644));
    (void)!::write(told, &status, sizeof status);
  }
  const RoomEnd end = room.wait();
  if (news != Room::News::Started) {
    status = end.kind == RoomEnd::Kind::Exited ? end.status : 125;
    (void)!::write(told, &status, sizeof status);
  }
  return {};
}

Result<int> create(const Place& place, const Words& words) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  const UniqueFd read_end(fds[0]);
  UniqueFd write_end(fds[1]);
  const pid_t holder = ::fork();
  if (holder < 0) return errno_error("cannot fork");
  if (holder == 0) {
    ::setsid();
    const Result<void> held = hold_room(place, words, write_end.get());
    if (!held.ok()) fmt::print(stderr, "room_runtime: {}\n", held.error().message);
    std::fflush(nullptr);
    ::_exit(0);
  }
  write_end.reset();
  int status = 125;
  if (::read(read_end.get(), &status, sizeof status) != sizeof status) return 125;
  return status;
}

/// Enters the container's room if it still is there.
bool enter_room(const Place& place, const Words& words) {
  const pid_t pid = words.id.empty() ? 0 : read_number(place.of(words, "room"));
  if (pid <= 0) return false;
  const UniqueFd room(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return room && ::setns(room.get(), CLONE_NEWNS | CLONE_NEWPID) == 0;
}

/// With the process id as it is out here.
Result<int> tell_state(const Place& place, const Words& words, RoomRequest request) {
  const std::string path = place.of(words, fmt::format("answer-{}", ::getpid()).c_str());
  UniqueFd answer = TRY(open_file(path, O_RDWR | O_CREAT | O_TRUNC));
  request.output = answer.get();
  const int status = TRY(run_room(words, request));
  const std::string text = TRY(read_file(path));
  (void)::unlink(path.c_str());
  nlohmann::ordered_json state = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!state.is_object()) {
    fmt::print("{}", text);
    return status;
  }
  if (state.value("pid", 0) != 0) state["pid"] = read_number(place.of(words, "program"));
  fmt::print("{}\n", state.dump(2));
  return status;
}

Result<int> do_with(const Place& place, const Words& words, RoomRequest request) {
  if (words.command == "state") return tell_state(place, words, std::move(request));
  return run_room(words, request);
}

/// In the container's room; nothing where it has ended, or ends before anything was begun. In a
/// process of its own, which alone has entered it.
std::optional<int> do_inside(const Place& place, const Words& words) {
  constexpr int kHasEnded = 199;
  const pid_t child = ::fork();
  if (child == 0) {
    if (!enter_room(place, words)) ::_exit(kHasEnded);
    RoomRequest request = make_room(place, place.call(words.all));
    request.place = RoomRequest::Place::Here;
    request.steps.clear();
    const Result<int> status = do_with(place, words, std::move(request));
    std::fflush(nullptr);
    ::_exit(status.ok() ? *status : kHasEnded);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return std::nullopt;
  if (WEXITSTATUS(status) == kHasEnded) return std::nullopt;
  return WEXITSTATUS(status);
}

Result<int> act(int count, char** arguments) {
  const Words words = parse_words(count, arguments);
  Place place;
  place.program.path = find_environment("ROOM_RUNTIME").value_or("");
  place.program.kind = base_name(place.program.path) == "runc" ? Runtime::Runc : Runtime::Crun;
  place.folder = find_environment("ROOM_FOLDER").value_or("");
  place.here = real_path(".");
  if (place.program.path.empty() || place.folder.empty() || place.here.empty()) {
    return make_error(ErrorKind::InvalidInput, "ROOM_RUNTIME and ROOM_FOLDER name what is used");
  }
  if (words.command == "in" && count > 2) {
    RoomRequest request = make_room(place, {arguments + 2, arguments + count});
    request.environment.push_back("RUNTIME=" + place.program.path);
    request.environment.push_back("TMPDIR=" + find_environment("TMPDIR").value_or("/tmp"));
    return run_room(words, request);
  }
  if (words.command == "create" && !words.id.empty()) return create(place, words);
  if (const std::optional<int> status = do_inside(place, words)) return *status;
  return do_with(place, words, make_room(place, place.call(words.all)));
}

}  // namespace

int main(int count, char** words) {
  const Result<int> status = act(count, words);
  if (status.ok()) return *status;
  fmt::print(stderr, "room_runtime: {}\n", status.error().message);
  return 125;
}
