#include "run/bundle.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "run/seccomp.h"

namespace slipway::run {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kNotPermitted = 1;              // EPERM
constexpr int kNoSuchCall = 38;               // ENOSYS
constexpr std::uint64_t kCpuPeriod = 100000;  // microseconds; Linux's default

// What container tools give root by default, without those that no program of an image needs:
// MKNOD (devices), NET_RAW (forged packets), SETPCAP, SETFCAP.
constexpr const char* kCapabilities[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",  "CAP_DAC_OVERRIDE",     "CAP_FOWNER", "CAP_FSETID",
    "CAP_KILL",        "CAP_SETGID", "CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SYS_CHROOT"};

Json limits_section(const std::vector<ResourceLimit>& limits) {
  Json section = Json::array();
  for (const ResourceLimit& one : limits) {
    section.push_back({{"type", "RLIMIT_" + one.type}, {"hard", one.hard}, {"soft", one.soft}});
  }
  return section;
}

Json process_section(const RunRequest& request, const BundleFacts& facts) {
  Json arguments = Json::array();
  if (!request.init_path.empty()) arguments = {request.init_path, "--"};
  for (const std::string& argument : request.command) arguments.push_back(argument);
  // A user who is not root gets no capability at all, not even in the bounding set.
  Json capabilities = Json::array();
  if (request.uid == 0) capabilities = kCapabilities;
  std::vector<ResourceLimit> wanted = request.resource_limits;
  for (const auto& [type, value] : {std::pair("NOFILE", facts.most_open_files),
                                    std::pair("MEMLOCK", facts.most_locked_bytes)}) {
    const bool is_given =
        std::any_of(wanted.begin(), wanted.end(),
                    [name = type](const ResourceLimit& one) { return one.type == name; });
    if (!is_given) wanted.push_back({type, value, value});
  }
  return {
      {"terminal", request.terminal == Terminal::Yes},
      {"user",
       {{"uid", request.uid}, {"gid", request.gid}, {"additionalGids", request.additional_gids}}},
      {"args", arguments},
      {"env", request.environment},
      {"cwd", request.working_folder},
      {"capabilities",
       {{"bounding", capabilities},
        {"effective", capabilities},
        {"permitted", capabilities},
        {"inheritable", Json::array()},
        {"ambient", Json::array()}}},
      {"rlimits", limits_section(wanted)},
      {"noNewPrivileges", true}};
}

Json mount(const char* target, const char* type, const char* source, Json options) {
  return {{"destination", target}, {"type", type}, {"source", source}, {"options", options}};
}

Json mounts_section(const RunRequest& request, const BundleFacts& facts) {
  Json mounts = Json::array();
  mounts.push_back(mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  // A fresh /dev, always: what an image has there must never be used.
  mounts.push_back(mount("/dev", "tmpfs", "tmpfs",
                         {"nosuid", "noexec", "strictatime", "mode=755", "size=65536k"}));
  Json terminals = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  if (!facts.has_one_id) terminals.push_back("gid=5");
  mounts.push_back(mount("/dev/pts", "devpts", "devpts", terminals));
  mounts.push_back(mount(
      "/dev/shm", "tmpfs", "shm",
      {"nosuid", "noexec", "nodev", "mode=1777", fmt::format("size={}", facts.limits.shm_bytes)}));
  mounts.push_back(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  const bool has_own_network =
      request.network == Network::None ||
      (request.network == Network::Private && !has_inner_user(request, facts.has_one_id));
  if (facts.in_user_namespace && !has_own_network) {
    // The kernel gives a new sysfs only to the owner of the network namespace.
    mounts.push_back(
        mount("/sys", "bind", "/sys", {"rbind", "rprivate", "nosuid", "noexec", "nodev", "ro"}));
  } else {
    mounts.push_back(mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
    if (!facts.cgroup_path.empty()) {
      mounts.push_back(mount("/sys/fs/cgroup", "cgroup", "cgroup",
                             {"nosuid", "noexec", "nodev", "relatime", "ro"}));
    }
  }
  for (const Tmpfs& one : request.tmpfs) {
    Json options = {"nosuid", "nodev"};
    for (const std::string& option : one.options) options.push_back(option);
    mounts.push_back(mount(one.target.c_str(), "tmpfs", "tmpfs", options));
  }
  for (const BundleMount& one : facts.mounts) {
    Json options = {"rbind", "rprivate", "nosuid"};
    if (one.nodes == BundleMount::Nodes::Closed) options.push_back("nodev");
    for (const std::string& option : one.options) options.push_back(option);
    options.push_back(one.access == Access::ReadOnly ? "ro" : "rw");
    if (one.programs == Programs::Forbidden) options.push_back("noexec");
    mounts.push_back(mount(one.target.c_str(), "bind", one.source.c_str(), options));
  }
  return mounts;
}

Json resources_section(const BundleFacts& facts) {
  Json resources = Json::object();
  if (!facts.in_user_namespace && !facts.cgroup_path.empty()) {
    Json rules = Json::array({{{"allow", false}, {"access", "rwm"}}});
    for (const BundleDevice& device : facts.devices) {
      // The kernel knows no rule for a pipe, and runtimes none for `u`.
      if ((device.type != 'c' && device.type != 'b') || device.access.empty()) continue;
      rules.push_back({{"allow", true},
                       {"type", std::string(1, device.type)},
                       {"major", device.major},
                       {"minor", device.minor},
                       {"access", device.access}});
    }
    resources["devices"] = rules;
  }
  if (facts.limits.memory_bytes) {
    resources["memory"]["limit"] = *facts.limits.memory_bytes;
    if (facts.limits.memory_and_swap_bytes) {
      resources["memory"]["swap"] = *facts.limits.memory_and_swap_bytes;
    }
  }
  if (facts.limits.cpus) {
    const double quota = *facts.limits.cpus * static_cast<double>(kCpuPeriod);
    resources["cpu"] = {{"quota", static_cast<std::int64_t>(quota)}, {"period", kCpuPeriod}};
  }
  return resources;
}

Json seccomp_section() {
  Json calls = Json::array();
  calls.push_back(
      {{"names", forbidden_calls()}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", kNotPermitted}});
  for (const unsigned long flag : forbidden_clone_flags()) {
    const Json argument = {
        {"index", 0}, {"value", flag}, {"valueTwo", flag}, {"op", "SCMP_CMP_MASKED_EQ"}};
    calls.push_back({{"names", {"clone"}},
                     {"action", "SCMP_ACT_ERRNO"},
                     {"errnoRet", kNotPermitted},
                     {"args", Json::array({argument})}});
  }
  calls.push_back(
      {{"names", {kHiddenCall}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", kNoSuchCall}});
  return {{"defaultAction", "SCMP_ACT_ALLOW"},
          {"architectures", seccomp_architectures()},
          {"syscalls", calls}};
}

Json linux_section(const RunRequest& request, const BundleFacts& facts) {
  Json namespaces = Json::array();
  for (const char* type : {"pid", "ipc", "uts", "mount", "cgroup"}) {
    namespaces.push_back({{"type", type}});
  }
  if (request.network == Network::None) namespaces.push_back({{"type", "network"}});
  if (has_inner_user(request, facts.has_one_id)) namespaces.push_back({{"type", "user"}});
  Json devices = Json::array();
  for (const BundleDevice& device : facts.devices) {
    devices.push_back({{"path", device.path},
                       {"type", std::string(1, device.type)},
                       {"major", device.major},
                       {"minor", device.minor},
                       {"fileMode", device.mode}});
    if (device.uid) devices.back()["uid"] = *device.uid;
    if (device.gid) devices.back()["gid"] = *device.gid;
  }
  Json section = {{"namespaces", namespaces},
                  {"devices", devices},
                  {"resources", resources_section(facts)},
                  {"seccomp", seccomp_section()},
                  {"maskedPaths",
                   {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                    "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"}},
                  {"readonlyPaths",
                   {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
  if (has_inner_user(request, facts.has_one_id)) {
    const auto only = [](std::uint32_t id) {
      return Json::array({{{"containerID", id}, {"hostID", 0}, {"size", 1}}});
    };
    section["uidMappings"] = only(request.uid);
    section["gidMappings"] = only(request.gid);
  }
  if (!facts.cgroup_path.empty()) section["cgroupsPath"] = facts.cgroup_path;
  return section;
}

}  // namespace

std::string write_bundle_config(const RunRequest& request, const BundleFacts& facts) {
  const Json config = {
      {"ociVersion", "1.0.2"},
      {"process", process_section(request, facts)},
      {"root", {{"path", facts.root_path}, {"readonly", request.root == Access::ReadOnly}}},
      {"hostname", request.host_name},
      {"mounts", mounts_section(request, facts)},
      {"linux", linux_section(request, facts)}};
  // Text from outside may not be UTF-8; a lone byte must not throw.
  return config.dump(1, ' ', false, Json::error_handler_t::replace);
}

std::string write_process(const RunRequest& request) {
  Json process = process_section(request, BundleFacts{});
  process["rlimits"] = limits_section(request.resource_limits);
  return process.dump(1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<ResourceLimit>> parse_bundle_limits(std::string_view text) {
  constexpr std::string_view kPrefix = "RLIMIT_";
  const Json config = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const Json::json_pointer place("/process/rlimits");
  const Json limits = config.contains(place) ? config.at(place) : Json();
  std::vector<ResourceLimit> found;
  for (const Json& one : limits) {
    const bool is_whole = one.is_object() && one.contains("type") && one["type"].is_string() &&
                          one.contains("soft") && one["soft"].is_number_unsigned() &&
                          one.contains("hard") && one["hard"].is_number_unsigned();
    const std::string type = is_whole ? one["type"].get<std::string>() : "";
    if (!type.starts_with(kPrefix)) {
      return make_error(ErrorKind::Corrupt, "the limits of a run cannot be read");
    }
    found.push_back({type.substr(kPrefix.size()), one["soft"].get<std::uint64_t>(),
                     one["hard"].get<std::uint64_t>()});
  }
  if (!limits.is_array()) {
    return make_error(ErrorKind::Corrupt, "the limits of a run cannot be read");
  }
  return found;
}

}  // namespace slipway::run
