#include "base/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/file.h"
#include "base/sandbox_overlay.h"
#include "base/sandbox_room.h"

namespace slipway {
namespace {

constexpr std::size_t kMostOutputBytes = 16 << 20;
constexpr std::array kDeviceNodes{"null", "zero", "full", "random", "urandom", "tty"};

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

/// A room under construction: descriptors live as long as the steps that name them.
struct Plan {
  RoomRequest room;
  std::vector<UniqueFd> held;
  std::optional<TemporaryFolder> links;

  void add(ChildStep step) { room.steps.push_back(std::move(step)); }
  void add(ChildStep::Call call, std::string path, std::string source = {}) {
    ChildStep step;
    step.call = call;
    step.path = std::move(path);
    step.source = std::move(source);
    add(std::move(step));
  }
};

Result<void> plan_root(const SandboxRequest& request, Plan& plan) {
  plan.add(make_mounts_private());
  if (request.overlay.empty()) {
    if (!is_folder(request.root)) {
      return make_error(ErrorKind::NotFound, "no folder `{}`", request.root);
    }
    UniqueFd tree = TRY(copy_mount(request.root, Submounts::With));
    plan.add(make_move_mount(tree.get(), request.root));
    plan.held.push_back(std::move(tree));
  } else {
    const SandboxOverlay& wanted = request.overlay[0];
    plan.links.emplace(TRY(TemporaryFolder::create(
        wanted.upper.empty() ? "/tmp" : parent_path(wanted.upper), "links")));
    PreparedOverlay overlay = TRY(prepare_overlay(
        {wanted.lowers, wanted.upper, wanted.work, plan.links->path(), {}, {}}, request.root));
    for (ChildStep& step : overlay.steps) plan.add(std::move(step));
    plan.held.push_back(std::move(overlay.mount));
  }
  // From here on, paths are those inside: links in the tree cannot lead to the host's files.
  plan.add(ChildStep::Call::ChangeFolder, request.root);
  plan.add(ChildStep::Call::PivotHere, "/");
  return {};
}

/// A folder as mount point, unless the tree is read-only and brings its own.
void add_mount_point(const SandboxRequest& request, Plan& plan, const std::string& path) {
  const bool fixed = !request.overlay.empty() && request.overlay[0].upper.empty();
  ChildStep step = make_folder_step(path);
  if (fixed) step.if_failing = ChildStep::IfFailing::GoOn;
  plan.add(std::move(step));
}

Result<void> plan_devices(const SandboxRequest& request, Plan& plan) {
  add_mount_point(request, plan, "/dev");
  plan.add(make_mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k"));
  for (const char* name : kDeviceNodes) {
    const std::string path = fmt::format("/dev/{}", name);
    UniqueFd node = TRY(copy_mount(path, Submounts::Without));
    plan.add(ChildStep::Call::MakeFile, path);
    plan.add(make_move_mount(node.get(), path));
    plan.held.push_back(std::move(node));
  }
  plan.add(make_folder_step("/dev/shm"));
  plan.add(make_mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
  plan.add(ChildStep::Call::MakeLink, "/dev/fd", "/proc/self/fd");
  plan.add(ChildStep::Call::MakeLink, "/dev/stdin", "/proc/self/fd/0");
  plan.add(ChildStep::Call::MakeLink, "/dev/stdout", "/proc/self/fd/1");
  plan.add(ChildStep::Call::MakeLink, "/dev/stderr", "/proc/self/fd/2");
  add_mount_point(request, plan, "/proc");
  // Before the old root goes: in a user namespace the kernel wants to see an unmasked /proc.
  plan.add(make_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
  if (request.tmp == SandboxRequest::Tmp::Fresh) {
    add_mount_point(request, plan, "/tmp");
    plan.add(make_mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"));
  }
  return {};
}

Result<void> plan_bind(const SandboxRequest& request, const SandboxBind& bind, Plan& plan) {
  if (!bind.target.starts_with('/')) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no absolute path", bind.target);
  }
  UniqueFd tree = TRY(copy_mount(bind.source, Submounts::With));
  if (bind.access == SandboxBind::Access::ReadOnly) {
    TRY(make_read_only(tree.get(), Submounts::With));
  }
  const std::string target = TRY(absolute_path(bind.target));
  for (std::size_t slash = target.find('/', 1); slash != std::string::npos;
       slash = target.find('/', slash + 1)) {
    add_mount_point(request, plan, target.substr(0, slash));
  }
  if (is_folder(bind.source)) {
    add_mount_point(request, plan, target);
  } else {
    ChildStep step = make_file_step(target);
    step.if_failing = ChildStep::IfFailing::GoOn;
    plan.add(std::move(step));
  }
  plan.add(make_move_mount(tree.get(), target));
  plan.held.push_back(std::move(tree));
  return {};
}

Result<Plan> make_plan(const SandboxRequest& request) {
  Plan plan;
  plan.room.namespaces = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;
  plan.room.arguments = request.arguments;
  plan.room.environment = request.environment;
  plan.room.working_folder = request.working_folder;
  TRY(plan_root(request, plan));
  TRY(plan_devices(request, plan));
  for (const SandboxBind& bind : request.binds) TRY(plan_bind(request, bind, plan));
  ChildStep leave;
  leave.call = ChildStep::Call::Unmount;
  leave.path = ".";
  leave.flags = MNT_DETACH;
  plan.add(std::move(leave));
  plan.add(ChildStep::Call::ChangeFolder, "/");
  plan.add(ChildStep::Call::SetHostName, "", request.host_name);
  plan.add(ChildStep::Call::RaiseLoopback, "");
  return plan;
}

/// Reads what is there; closes at the end.
void drain(UniqueFd& fd, short events, std::string& into) {
  if (!fd || events == 0) return;
  std::array<char, 65536> buffer;
  const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
  if (count > 0) into.append(buffer.data(), static_cast<std::size_t>(count));
  if (into.size() > 2 * kMostOutputBytes) into.erase(0, into.size() - kMostOutputBytes);
  if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) fd.reset();
}

Result<void> exchange(Pipe& in, Pipe& out, Pipe& err, std::string_view text, const Room& room,
                      const CancelToken& cancel, ProcessResult& result) {
  bool has_ended = false;  // it may close its outputs and go on
  while (out.read_end || err.read_end || !has_ended) {
    if (cancel.cancelled()) {
      room.kill();
      return cancel.check();
    }
    std::array<pollfd, 4> polls{{{out.read_end.get(), POLLIN, 0},
                                 {err.read_end.get(), POLLIN, 0},
                                 {in.write_end.get(), POLLOUT, 0},
                                 {has_ended ? -1 : room.report_fd(), POLLIN, 0}}};
    if (::poll(polls.data(), polls.size(), 100) < 0) {
      if (errno == EINTR) continue;
      return errno_error("cannot wait for a program");
    }
    if (in.write_end && polls[2].revents != 0) {
      const ssize_t count =
          text.empty() ? 0 : ::write(in.write_end.get(), text.data(), text.size());
      if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
      const bool broken = count < 0 && errno != EAGAIN && errno != EINTR;
      if (text.empty() || broken) in.write_end.reset();
    }
    has_ended = has_ended || polls[3].revents != 0;
    drain(out.read_end, polls[0].revents, result.output);
    drain(err.read_end, polls[1].revents, result.error_output);
  }
  return {};
}

}  // namespace

Result<ProcessResult> run_in_sandbox(const SandboxRequest& request, const CancelToken& cancel) {
  SLIPWAY_CHECK(!request.arguments.empty() && request.overlay.size() <= 1);
  TRY(cancel.check());
  if (::geteuid() != 0) {
    return make_error(ErrorKind::Denied, "a sandbox needs root or a user namespace");
  }
  Plan plan = TRY_WHILE("preparing the sandbox", make_plan(request));
  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  plan.room.input = in.read_end.get();
  plan.room.output = out.write_end.get();
  plan.room.error_output = err.write_end.get();
  Room room = TRY(Room::start(plan.room));
  plan.held.clear();
  in.read_end.reset();
  out.write_end.reset();
  err.write_end.reset();
  ::fcntl(in.write_end.get(), F_SETFL, O_NONBLOCK);

  ProcessResult result;
  const Result<void> exchanged = exchange(in, out, err, request.input, room, cancel, result);
  if (!exchanged.ok()) return exchanged.error();
  const RoomEnd end = room.wait();
  if (end.kind == RoomEnd::Kind::Exited) {
    result.status = end.status;
  } else if (end.kind == RoomEnd::Kind::ExecFailed) {
    result.status = end.error_number == ENOENT ? 127 : 126;
    result.error_output += room_error(end, plan.room).message + "\n";
  } else {
    return room_error(end, plan.room).while_doing("preparing the sandbox");
  }
  return result;
}

}  // namespace slipway
