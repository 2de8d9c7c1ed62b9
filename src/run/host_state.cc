#include "run/host_state.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/file.h"
#include "base/process.h"
#include "base/threads.h"
#include "base/user_namespace.h"

namespace slipway::run {
namespace {

using gpu::HostView;

/// The program as this host would find it; empty where it is not installed.
std::string find_on(const HostView& host, const std::string& name) {
  if (host.is_live()) return find_program(name).value_or("");
  for (const char* folder : {"/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin", "/sbin"}) {
    const std::string path = host.at(join_path(folder, name));
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

void read_runtimes(const HostView& host, HostState& state) {
  for (const char* name : {"crun", "runc"}) {
    const std::string path = find_on(host, name);
    if (path.empty()) continue;
    const auto said = run_process({path, "--version"});
    const bool answers = said.ok() && said->status == 0;
    state.runtimes.push_back({name, answers ? parse_runtime_version(said->output) : ""});
  }
}

bool is_privileged(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  // Distributions give either the bit or a file capability.
  return (status.st_mode & S_ISUID) != 0 ||
         ::getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
}

std::uint64_t count_ids(const std::string& text, const gpu::Caller& caller) {
  std::uint64_t count = 0;
  for (const IdRange& range : parse_subordinate_ranges(text, caller.name, caller.uid))
    count += range.count;
  return count;
}

/// Behind the last range of anybody: `name:first:count` lines.
std::uint32_t find_free_id(std::string_view text) {
  std::uint64_t free = 100000;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string name(line.substr(0, std::min(line.find(':'), line.size())));
    for (const IdRange& range : parse_subordinate_ranges(line, name, static_cast<uid_t>(-1)))
      free = std::max<std::uint64_t>(free, std::uint64_t{range.first} + range.count);
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(free, 4294900000U));
}

void read_namespaces(const HostView& host, HostState& state) {
  state.userns_clone = gpu::number_in(host, "/proc/sys/kernel/unprivileged_userns_clone");
  state.max_user_namespaces = gpu::number_in(host, "/proc/sys/user/max_user_namespaces");
  state.apparmor_userns =
      gpu::number_in(host, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
  state.may_gain_privileges =
      host.text("/proc/self/status").find("NoNewPrivs:\t1") == std::string::npos;
  const std::string users = find_on(host, "newuidmap");
  const std::string groups = find_on(host, "newgidmap");
  state.has_uidmap = !users.empty() && !groups.empty();
  state.uidmap_is_privileged = state.has_uidmap && is_privileged(users) && is_privileged(groups);
  const std::string subuid = host.text("/etc/subuid");
  const std::string subgid = host.text("/etc/subgid");
  state.subordinate_uids = count_ids(subuid, host.caller);
  state.subordinate_gids = count_ids(subgid, host.caller);
  state.free_subordinate_id = std::max(find_free_id(subuid), find_free_id(subgid));
  state.has_pasta = !find_on(host, "pasta").empty();
  state.tun_is_open = ::access(host.at("/dev/net/tun").c_str(), R_OK | W_OK) == 0;
  const std::string known = host.text("/proc/filesystems");
  state.kernel_knows_overlay = known.find("overlay") != std::string::npos;
}

void read_cgroups(const HostView& host, HostState& state) {
  state.cgroups = parse_cgroup_mounts(host.text("/proc/self/mountinfo")).layout;
  if (host.caller.uid == 0) {
    const HostLimits limits = host.is_live() ? read_host_limits() : HostLimits{};
    state.can_limit = host.is_live() ? limits.can_limit_memory && limits.can_limit_cpus
                                     : state.cgroups != CgroupLayout::None;
  } else if (state.cgroups == CgroupLayout::V2) {
    std::string own = host.text("/proc/self/cgroup");
    const std::size_t at = own.find("0::");
    own = at == std::string::npos ? "/" : own.substr(at + 3, own.find('\n', at) - at - 3);
    state.can_limit = find_delegated_group(host.at(kCgroupFolder), own).has_value();
  }
}

/// statfs(2): f_type of those that people keep homes on, or that overlayfs refuses as upper.
std::string file_system_name(std::uint64_t magic) {
  struct Row {
    std::uint64_t magic;
    const char* name;
  };
  static constexpr std::array<Row, 16> kRows{{{0xEF53, "ext4"},
                                              {0x58465342, "xfs"},
                                              {0x9123683E, "btrfs"},
                                              {0x01021994, "tmpfs"},
                                              {0x794C7630, "overlay"},
                                              {0x6969, "nfs"},
                                              {0xFF534D42, "cifs"},
                                              {0x65735546, "fuse"},
                                              {0x2FC12FC1, "zfs"},
                                              {0x0BD00BD0, "lustre"},
                                              {0x47504653, "gpfs"},
                                              {0x01021997, "9p"},
                                              {0xF15F, "ecryptfs"},
                                              {0x4D44, "vfat"},
                                              {0x00C36400, "ceph"},
                                              {0xF2F52010, "f2fs"}}};
  const auto* const row =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) { return r.magic == magic; });
  return row != kRows.end() ? row->name : fmt::format("{:#x}", magic);
}

std::string nearest_folder(std::string path) {
  while (!is_folder(path) && path.size() > 1 && path != ".") path = parent_path(path);
  return path;
}

FolderState read_folder(const std::string& path) {
  FolderState state;
  state.path = path;
  const std::string there = nearest_folder(path);
  state.exists = there == path;
  state.is_writable = ::access(there.c_str(), W_OK | X_OK) == 0;
  struct statfs system {};
  if (::statfs(there.c_str(), &system) == 0) {
    state.file_system = file_system_name(static_cast<std::uint32_t>(system.f_type));
    state.free_bytes =
        static_cast<std::uint64_t>(system.f_bavail) * static_cast<std::uint64_t>(system.f_bsize);
  }
  struct stat status {};
  if (::stat(there.c_str(), &status) == 0) state.device = status.st_dev;
  return state;
}

/// `MemTotal:  24684084 kB`
std::uint64_t memory_in(const std::string& text, std::string_view key) {
  std::size_t at = text.find(key);
  if (at == std::string::npos) return 0;
  at = text.find_first_of("0123456789", at);
  if (at == std::string::npos) return 0;
  std::uint64_t kilobytes = 0;
  (void)std::from_chars(text.data() + at, text.data() + text.size(), kilobytes);
  return kilobytes * 1024;
}

void read_machine(const HostView& host, HostState& state) {
  const std::string memory = host.text("/proc/meminfo");
  state.memory_bytes = memory_in(memory, "MemTotal:");
  state.available_bytes = memory_in(memory, "MemAvailable:");
  state.cores = static_cast<double>(usable_cores());
  state.has_infiniband = !host.names("/sys/class/infiniband").empty();
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) state.most_locked_bytes = limit.rlim_max;
  state.in_container = host.has("/.dockerenv") || host.has("/run/.containerenv");
}

}  // namespace

std::string parse_runtime_version(std::string_view text) {
  constexpr std::string_view kWord = "version ";
  const std::size_t at = text.find(kWord);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + kWord.size());
  std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  while (end > 0 && text[end - 1] == '.') --end;
  return std::string(text.substr(0, end));
}

HostState read_host_state(const HostStateRequest& request) {
  const HostView& host = request.host;
  HostState state;
  state.distribution = gpu::read_distribution(host);
  state.kernel_release = host.text("/proc/sys/kernel/osrelease");
  read_runtimes(host, state);
  read_namespaces(host, state);
  read_cgroups(host, state);
  state.store = read_folder(request.store_folder);
  state.cache = read_folder(request.cache_folder);
  if (host.is_live() && state.store.is_writable) {
    if (const auto probe = probe_mounts(nearest_folder(request.store_folder)); probe.ok())
      state.mounts = *probe;
  }
  read_machine(host, state);
  state.unix_time = request.unix_time;
  return state;
}

}  // namespace slipway::run
