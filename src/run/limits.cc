#include "run/limits.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/file.h"
#include "base/size_text.h"
#include "base/threads.h"
#include "base/user_namespace.h"

namespace slipway::run {
namespace {

constexpr std::uint64_t kDefaultShmBytes = 8ULL << 30;
// A container runtime needs about this much to start anything.
constexpr std::uint64_t kLeastMemoryBytes = 6ULL << 20;

std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t at = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return taken;
}

bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    while (!line.empty()) {
      if (take_until(line, ' ') == word) return true;
    }
  }
  return false;
}

bool is_writable(const std::string& path) { return ::access(path.c_str(), W_OK) == 0; }

std::string text_of(const std::string& path) {
  Result<std::string> text = read_file(path);
  return text.ok() ? std::move(*text) : std::string();
}

void read_v1(HostLimits& host) {
  const std::string memory = join_path(kCgroupFolder, "memory");
  const std::string cpu = join_path(kCgroupFolder, "cpu");
  const bool is_ours = !in_user_namespace();
  host.can_limit_memory = is_ours && is_writable(memory);
  host.can_limit_cpus = is_ours && is_writable(cpu);
  host.can_limit_swap =
      host.can_limit_memory && path_exists(join_path(memory, "memory.memsw.limit_in_bytes"));
  if (host.can_limit_memory || host.can_limit_cpus) host.cgroup_parent = "/slipway";
  if (host.can_limit_memory && host.can_limit_cpus) return;
  host.missing = is_ours ? fmt::format("`{}` cannot be written to", kCgroupFolder)
                         : "control groups of version 1 are for root only";
  host.remedy = is_ours ? "run slipway where control groups can be changed"
                        : "run slipway as root, or boot with `systemd.unified_cgroup_hierarchy=1`";
}

void read_v2(HostLimits& host) {
  std::string parent;
  if (in_user_namespace()) {
    std::string_view own = "/";
    const std::string membership = text_of("/proc/self/cgroup");
    std::string_view rest = membership;
    while (!rest.empty()) {
      std::string_view line = take_until(rest, '\n');
      if (line.starts_with("0::")) own = line.substr(3);
    }
    parent = find_delegated_group(kCgroupFolder, own).value_or("");
    if (parent.empty()) {
      host.missing = "no control group with memory and cpu is delegated to this user";
      host.remedy =
          "start it as `systemd-run --user --scope -p Delegate=yes slipway run …`, or as root";
    }
  } else if (is_writable(kCgroupFolder)) {
    parent = "/slipway";
  } else {
    host.missing = fmt::format("`{}` cannot be written to", kCgroupFolder);
    host.remedy = "run slipway where control groups can be changed";
  }
  if (parent.empty()) return;
  host.cgroup_parent = parent;
  const std::string folder = in_user_namespace() ? kCgroupFolder + parent : kCgroupFolder;
  const std::string controllers = text_of(join_path(folder, "cgroup.controllers"));
  host.can_limit_memory = has_word(controllers, "memory");
  host.can_limit_swap = host.can_limit_memory && has_word(text_of("/proc/meminfo"), "SwapTotal:");
  host.can_limit_cpus = has_word(controllers, "cpu");
  if (host.can_limit_memory && host.can_limit_cpus) return;
  host.missing = "the kernel's memory or cpu controller is switched off";
  host.remedy = "boot with `cgroup_enable=memory`";
}

Error cannot_enforce(std::string_view what, const HostLimits& host) {
  Error error = make_error(ErrorKind::Unsupported, "cannot limit {} here", what);
  if (!host.missing.empty()) error.because.push_back(host.missing);
  if (!host.remedy.empty()) error.hints.push_back(host.remedy);
  return error;
}

std::string not_enforced(std::string_view what, const HostLimits& host) {
  return fmt::format("{} is not limited: {}", what, host.missing);
}

template <typename T, typename Text>
Result<T> fit(const Limit<T>& wanted, T most, std::string_view what, Text&& text,
              std::vector<std::string>& notes) {
  if (wanted.value <= most) return wanted.value;
  if (wanted.strictness == Strictness::Exact) {
    return make_error(ErrorKind::Unsupported, "{} of {} is more than this machine's {}", what,
                      text(wanted.value), text(most));
  }
  notes.push_back(
      fmt::format("{} lowered from {} to this machine's {}", what, text(wanted.value), text(most)));
  return most;
}

std::string cores_text(double cores) { return fmt::format("{:g}", cores); }

Result<void> resolve_memory(const Limits& wanted, const HostLimits& host, ResolvedLimits& resolved,
                            std::vector<std::string>& notes) {
  if (!wanted.memory_bytes) return {};
  if (wanted.memory_bytes->value < kLeastMemoryBytes) {
    return make_error(ErrorKind::InvalidInput, "memory of {} is too little: at least 6m",
                      memory_text(wanted.memory_bytes->value));
  }
  const auto value =
      TRY(fit(*wanted.memory_bytes, host.memory_bytes, "memory", memory_text, notes));
  if (host.can_limit_memory) {
    resolved.memory_bytes = value;
    if (host.can_limit_swap) resolved.memory_and_swap_bytes = value;
    return {};
  }
  if (wanted.memory_bytes->strictness == Strictness::Exact) return cannot_enforce("memory", host);
  notes.push_back(not_enforced("memory", host));
  return {};
}

Result<void> resolve_cpus(const Limits& wanted, const HostLimits& host, ResolvedLimits& resolved,
                          std::vector<std::string>& notes) {
  if (!wanted.cpus) return {};
  if (!std::isfinite(wanted.cpus->value) || wanted.cpus->value < 0.01) {
    return make_error(ErrorKind::InvalidInput, "cpus of {} is too little: at least 0.01",
                      cores_text(wanted.cpus->value));
  }
  const double value = TRY(fit(*wanted.cpus, host.cores, "cpus", cores_text, notes));
  if (host.can_limit_cpus) {
    resolved.cpus = value;
    return {};
  }
  if (wanted.cpus->strictness == Strictness::Exact) return cannot_enforce("cpus", host);
  notes.push_back(not_enforced("cpu time", host));
  return {};
}

}  // namespace

CgroupMounts parse_cgroup_mounts(std::string_view mountinfo) {
  CgroupMounts mounts;
  bool has_v1 = false;
  while (!mountinfo.empty()) {
    std::string_view line = take_until(mountinfo, '\n');
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    std::string_view type = line.substr(dash + 3);
    type = take_until(type, ' ');
    for (int field = 0; field < 4; ++field) take_until(line, ' ');
    const std::string_view path = take_until(line, ' ');
    // Others may be mounted anywhere (a chroot, a container's tree); these are the machine's.
    if (path != kCgroupFolder && !path.starts_with("/sys/fs/cgroup/")) continue;
    if (type == "cgroup") has_v1 = true;
    if (type == "cgroup2") mounts.unified_path = path;
  }
  if (has_v1) {
    mounts.layout = mounts.unified_path.empty() ? CgroupLayout::V1 : CgroupLayout::Hybrid;
  } else if (!mounts.unified_path.empty()) {
    mounts.layout = CgroupLayout::V2;
  }
  return mounts;
}

std::optional<std::string> find_delegated_group(const std::string& root, std::string_view own) {
  std::string group(own);
  // Our own group has processes: us.
  while (group.size() > 1) {
    group = parent_path(group);
    const std::string folder = root + (group == "/" ? "" : group);
    if (!is_writable(folder) || !is_writable(join_path(folder, "cgroup.procs")))
      return std::nullopt;
    const std::string controllers = text_of(join_path(folder, "cgroup.controllers"));
    if (text_of(join_path(folder, "cgroup.procs")).empty() && has_word(controllers, "memory") &&
        has_word(controllers, "cpu")) {
      return group;
    }
  }
  return std::nullopt;
}

Result<void> enable_controllers(const std::string& folder) {
  const std::string there = text_of(join_path(folder, "cgroup.controllers"));
  const std::string path = join_path(folder, "cgroup.subtree_control");
  const std::string enabled = text_of(path);
  for (const std::string_view controller : {"cpu", "memory", "pids", "io"}) {
    if (!has_word(there, controller) || has_word(enabled, controller)) continue;
    // One at a time: the kernel takes all of a line or nothing.
    const UniqueFd fd = TRY(open_file(path, O_WRONLY | O_APPEND));
    const std::string word = fmt::format("+{}", controller);
    if (::write(fd.get(), word.data(), word.size()) == static_cast<ssize_t>(word.size())) continue;
    if (controller == "pids" || controller == "io") continue;
    return make_error(ErrorKind::Unsupported, "the controller `{}` cannot be enabled in `{}`",
                      controller, folder)
        .reason(errno_error("the kernel refuses it").message)
        .hint("a group that has processes of its own cannot have limited groups below it");
  }
  return {};
}

HostLimits read_host_limits() {
  HostLimits host;
  host.memory_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  host.cores = static_cast<double>(usable_cores());
  const CgroupMounts mounts = parse_cgroup_mounts(text_of("/proc/self/mountinfo"));
  host.layout = mounts.layout;
  host.unified_path = mounts.unified_path;
  switch (host.layout) {
    case CgroupLayout::V1:
    case CgroupLayout::Hybrid:
      read_v1(host);
      break;
    case CgroupLayout::V2:
      read_v2(host);
      break;
    case CgroupLayout::None:
      host.missing = fmt::format("no control groups are mounted at `{}`", kCgroupFolder);
      break;
  }
  return host;
}

Result<ResolvedLimits> resolve_limits(const Limits& wanted, const HostLimits& host,
                                      std::vector<std::string>& notes) {
  ResolvedLimits resolved;
  TRY(resolve_memory(wanted, host, resolved, notes));
  TRY(resolve_cpus(wanted, host, resolved, notes));
  resolved.shm_bytes = std::min(kDefaultShmBytes, host.memory_bytes / 2);
  if (wanted.shm_bytes) {
    resolved.shm_bytes = TRY(fit(*wanted.shm_bytes, host.memory_bytes, "shm", memory_text, notes));
  }
  return resolved;
}

std::uint64_t hard_limit(int resource) {
  rlimit limit{};
  return ::getrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0 ? limit.rlim_max : 1024;
}

}  // namespace slipway::run
