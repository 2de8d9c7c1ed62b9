#include "run/container_check.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "run/container_view.h"
#include "run/device_check.h"

namespace slipway::run {
namespace {

using Json = nlohmann::json;

/// By number, as in capabilities(7) and linux/capability.h.
constexpr std::array kCapabilities{"CAP_CHOWN",
                                   "CAP_DAC_OVERRIDE",
                                   "CAP_DAC_READ_SEARCH",
                                   "CAP_FOWNER",
                                   "CAP_FSETID",
                                   "CAP_KILL",
                                   "CAP_SETGID",
                                   "CAP_SETUID",
                                   "CAP_SETPCAP",
                                   "CAP_LINUX_IMMUTABLE",
                                   "CAP_NET_BIND_SERVICE",
                                   "CAP_NET_BROADCAST",
                                   "CAP_NET_ADMIN",
                                   "CAP_NET_RAW",
                                   "CAP_IPC_LOCK",
                                   "CAP_IPC_OWNER",
                                   "CAP_SYS_MODULE",
                                   "CAP_SYS_RAWIO",
                                   "CAP_SYS_CHROOT",
                                   "CAP_SYS_PTRACE",
                                   "CAP_SYS_PACCT",
                                   "CAP_SYS_ADMIN",
                                   "CAP_SYS_BOOT",
                                   "CAP_SYS_NICE",
                                   "CAP_SYS_RESOURCE",
                                   "CAP_SYS_TIME",
                                   "CAP_SYS_TTY_CONFIG",
                                   "CAP_MKNOD",
                                   "CAP_LEASE",
                                   "CAP_AUDIT_WRITE",
                                   "CAP_AUDIT_CONTROL",
                                   "CAP_SETFCAP",
                                   "CAP_MAC_OVERRIDE",
                                   "CAP_MAC_ADMIN",
                                   "CAP_SYSLOG",
                                   "CAP_WAKE_ALARM",
                                   "CAP_BLOCK_SUSPEND",
                                   "CAP_AUDIT_READ",
                                   "CAP_PERFMON",
                                   "CAP_BPF",
                                   "CAP_CHECKPOINT_RESTORE"};

/// Names of setrlimit(2) beside those of /proc/<pid>/limits.
constexpr std::array<std::pair<const char*, const char*>, 16> kLimits{{
    {"RLIMIT_CPU", "Max cpu time"},
    {"RLIMIT_FSIZE", "Max file size"},
    {"RLIMIT_DATA", "Max data size"},
    {"RLIMIT_STACK", "Max stack size"},
    {"RLIMIT_CORE", "Max core file size"},
    {"RLIMIT_RSS", "Max resident set"},
    {"RLIMIT_NPROC", "Max processes"},
    {"RLIMIT_NOFILE", "Max open files"},
    {"RLIMIT_MEMLOCK", "Max locked memory"},
    {"RLIMIT_AS", "Max address space"},
    {"RLIMIT_LOCKS", "Max file locks"},
    {"RLIMIT_SIGPENDING", "Max pending signals"},
    {"RLIMIT_MSGQUEUE", "Max msgqueue size"},
    {"RLIMIT_NICE", "Max nice priority"},
    {"RLIMIT_RTPRIO", "Max realtime priority"},
    {"RLIMIT_RTTIME", "Max realtime timeout"},
}};

bool has(const std::vector<std::string>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string folded(const std::string& path) {
  Result<std::string> absolute = absolute_path(path);
  return absolute.ok() ? *std::move(absolute) : path;
}

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> found;
  if (!list.is_array()) return found;
  for (const Json& one : list) {
    if (one.is_string()) found.push_back(one.get<std::string>());
  }
  return found;
}

class Comparison {
 public:
  Comparison(const ContainerView& view, const ContainerView& maker, const Json& config)
      : view_(view), maker_(maker), config_(config) {}

  ContainerCheck compare() {
    compare_part("users", [&] { compare_users(); });
    compare_part("capabilities", [&] { compare_capabilities(); });
    compare_part("no_new_privs", [&] { compare_privileges(); });
    compare_part("seccomp", [&] { compare_seccomp(); });
    compare_part("limits", [&] { compare_limits(); });
    compare_part("", [&] { compare_mounts(); });
    compare_part("", [&] { compare_hidden(); });
    compare_part("", [&] { find_more_mounts(); });
    compare_part("", [&] { compare_devices(); });
    return std::move(check_);
  }

 private:
  template <typename Part>
  void compare_part(const char* name, const Part& part) {
    const std::size_t before = check_.differences.size();
    part();
    if (*name != '\0' && check_.differences.size() == before) check_.agreed.emplace_back(name);
  }
  void differ(const std::string& what, std::string_view planned, std::string_view found) {
    check_.differences.push_back(fmt::format("{}: planned {}, found {}", what, planned, found));
  }
  Json at(const char* place) const {
    const Json::json_pointer pointer(place);
    return config_.contains(pointer) ? config_.at(pointer) : Json();
  }

  void compare_words(const char* what, const char* status, std::vector<std::string> planned) {
    std::vector<std::string> found = view_.status(status);
    std::ranges::sort(planned);
    std::ranges::sort(found);
    if (planned != found) {
      differ(what, fmt::format("{}", fmt::join(planned, " ")),
             fmt::format("{}", fmt::join(found, " ")));
    }
  }

  /// An id of the process as our user namespace has it: a map has one line here, of one id.
  std::string seen_from_here(const std::string& kind) const {
    const Json id = at(("/process/user/" + kind).c_str());
    const Json map = at(("/linux/" + kind + "Mappings/0").c_str());
    const bool is_mapped = map.is_object() && map["containerID"] == id;
    return is_mapped ? map["hostID"].dump() : id.dump();
  }

  void compare_users() {
    const std::string uid = seen_from_here("uid"), gid = seen_from_here("gid");
    compare_words("user", "Uid", {uid, uid, uid, uid});
    compare_words("group", "Gid", {gid, gid, gid, gid});
    // Where the caller has one id, nobody may change groups: his own stay.
    if (config_.contains(Json::json_pointer("/linux/gidMappings"))) return;
    std::set<std::string> groups;
    for (const Json& one : at("/process/user/additionalGids")) groups.insert(one.dump());
    const std::vector<std::string> found = view_.status("Groups");
    std::set<std::string> other(found.begin(), found.end());
    // Some runtimes put the process's own group among them.
    if (!groups.contains(gid)) other.erase(gid);
    if (other != groups) {
      differ("additional groups", fmt::format("{}", fmt::join(groups, " ")),
             fmt::format("{}", fmt::join(found, " ")));
    }
  }

  void compare_capability_set(const char* name, const char* status) {
    std::uint64_t found = 0;
    const std::vector<std::string> words = view_.status(status);
    const std::string text = words.empty() ? "" : words.front();
    const bool is_read =
        std::from_chars(text.data(), text.data() + text.size(), found, 16).ec == std::errc();
    if (!is_read) return differ(name, "a set of capabilities", "none that can be read");
    const std::vector<std::string> planned =
        texts(at(fmt::format("/process/capabilities/{}", name).c_str()));
    for (std::size_t bit = 0; bit < 64; ++bit) {
      const std::string word =
          bit < kCapabilities.size() ? kCapabilities[bit] : fmt::format("capability {}", bit);
      const bool is_found = (found >> bit & 1) != 0;
      if (is_found == has(planned, word)) continue;
      differ(fmt::format("{} capabilities", name), is_found ? "without " + word : word,
             is_found ? word : "without it");
    }
  }

  void compare_capabilities() {
    for (const auto& [name, status] :
         {std::pair("bounding", "CapBnd"), std::pair("effective", "CapEff"),
          std::pair("permitted", "CapPrm"), std::pair("inheritable", "CapInh"),
          std::pair("ambient", "CapAmb")}) {
      compare_capability_set(name, status);
    }
  }

  void compare_privileges() {
    compare_words("no_new_privs", "NoNewPrivs",
                  {at("/process/noNewPrivileges") == Json(true) ? "1" : "0"});
  }

  void compare_seccomp() {
    // proc(5): 2 is a filter, 0 none.
    compare_words("seccomp", "Seccomp", {at("/linux/seccomp").is_object() ? "2" : "0"});
  }

  void compare_limits() {
    for (const Json& one : at("/process/rlimits")) {
      const std::string type = one.value("type", "");
      const auto* known =
          std::ranges::find_if(kLimits, [&](const auto& entry) { return type == entry.first; });
      if (known == kLimits.end()) continue;
      const auto found = view_.limit(known->second);
      const auto text = [&](const char* part) {
        const std::uint64_t value = one.value(part, std::uint64_t{0});
        return value == ~std::uint64_t{0} ? std::string("unlimited") : fmt::format("{}", value);
      };
      const std::string planned = text("soft") + ":" + text("hard");
      const std::string is = found ? found->first + ":" + found->second : "nothing";
      if (planned != is) differ(type, planned, is);
    }
  }

  void compare_options(const std::string& target, const std::vector<std::string>& planned,
                       const MountLine& found) {
    for (const char* option : {"ro", "nosuid", "nodev", "noexec"}) {
      if (has(planned, option) && !has(found.options, option)) {
        differ("mount " + target, option, fmt::format("{}", fmt::join(found.options, ",")));
      }
    }
    if (has(planned, "rw") && has(found.options, "ro")) differ("mount " + target, "rw", "ro");
    for (const std::string& option : planned) {
      std::uint64_t bytes = 0;
      const std::string_view number =
          std::string_view(option).substr(std::min<std::size_t>(5, option.size()));
      if (!option.starts_with("size=") || number.empty() || number.back() < '0' ||
          number.back() > '9' ||
          std::from_chars(number.data(), number.data() + number.size(), bytes).ec != std::errc()) {
        continue;
      }
      // tmpfs counts in pages, and tells in kilobytes.
      const std::string rounded = fmt::format("size={}k", (bytes + 4095) / 4096 * 4);
      if (!has(found.details, rounded)) {
        differ("mount " + target, rounded, fmt::format("{}", fmt::join(found.details, ",")));
      }
    }
  }

  /// Version 1 has a mount for each controller, in a tmpfs of the runtime's that matters to nobody.
  void compare_control_groups(const std::vector<std::string>& planned) {
    for (const MountLine& mount : view_.mounts()) {
      if (mount.type.starts_with("cgroup")) compare_options(mount.place, planned, mount);
    }
  }

  /// A file of the host under its own name may be written anew meanwhile; all others are staged.
  void compare_source(const std::string& target, const std::string& source) {
    if (source == target) return;
    const auto planned = maker_.find_file(source), found = view_.find_file(target);
    if (planned && found && planned->st_dev == found->st_dev && planned->st_ino == found->st_ino) {
      return;
    }
    differ("mount " + target, source, "something else");
  }

  void compare_mounts() {
    const std::size_t before = check_.differences.size();
    const Json mounts = at("/mounts");
    std::size_t count = 0;
    for (std::size_t i = 0; i < mounts.size(); ++i) {
      const std::string target = mounts[i].value("destination", "");
      const bool is_covered = std::any_of(
          mounts.begin() + static_cast<std::ptrdiff_t>(i) + 1, mounts.end(),
          [&](const Json& later) { return is_within(target, later.value("destination", "")); });
      if (is_covered) continue;
      const MountLine* const found = view_.find_mount(target);
      if (found == nullptr) {
        differ("mount " + target, "one", "none");
        continue;
      }
      const std::string type = mounts[i].value("type", "");
      const std::vector<std::string> options = texts(mounts[i].value("options", Json()));
      if (type == "cgroup") {
        compare_control_groups(options);
      } else {
        // A bind has the type of its source.
        if (type != "bind" && type != found->type) differ("mount " + target, type, found->type);
        if (type == "bind") compare_source(target, mounts[i].value("source", ""));
        compare_options(target, options, *found);
      }
      ++count;
    }
    const MountLine* const root = view_.find_mount("/");
    const bool is_read_only = root != nullptr && has(root->options, "ro");
    if (is_read_only != (at("/root/readonly") == Json(true))) {
      differ("mount /", is_read_only ? "rw" : "ro", is_read_only ? "ro" : "rw");
    }
    if (check_.differences.size() == before)
      check_.agreed.push_back(fmt::format("{} mounts", count));
  }

  /// Beside those planned there are only what lies in them (a bind brings mounts below it, version
  /// 1 of control groups one for each controller), covers of hidden paths, and nodes in /dev, which
  /// compare_devices looks at.
  void find_more_mounts() {
    std::set<std::uint64_t> known;
    std::vector<std::string> trees;
    const auto add = [&](const std::string& path, bool is_tree) {
      const MountLine* const mount = view_.find_mount(path);
      if (mount == nullptr) return;
      known.insert(mount->id);
      if (is_tree) trees.push_back(mount->place);
    };
    add("/", false);
    for (const Json& mount : at("/mounts")) {
      const std::string type = mount.value("type", "");
      add(mount.value("destination", ""), type == "bind" || type == "cgroup");
    }
    for (const char* list : {"/linux/maskedPaths", "/linux/readonlyPaths"}) {
      for (const std::string& path : texts(at(list))) add(path, false);
    }
    for (const MountLine& mount : view_.mounts()) {
      const auto holds = [&](const std::string& tree) { return is_within(mount.place, tree); };
      const auto facts = view_.find_file(mount.place);
      const bool is_node = is_within(mount.place, "/dev") && facts && special_file_of(*facts);
      if (!known.contains(mount.id) && !is_node && std::ranges::none_of(trees, holds)) {
        differ("mount " + mount.place, "none", "one");
      }
    }
  }

  void compare_hidden() {
    const std::size_t before = check_.differences.size();
    for (const std::string& path : texts(at("/linux/maskedPaths"))) {
      if (view_.find_file(path) && view_.find_mount(path) == nullptr) {
        differ(path, "hidden", "open");
      }
    }
    for (const std::string& path : texts(at("/linux/readonlyPaths"))) {
      const MountLine* const found = view_.find_mount(path);
      if (view_.find_file(path) && (found == nullptr || !has(found->options, "ro"))) {
        differ(path, "read-only", "writable");
      }
    }
    if (check_.differences.size() == before) check_.agreed.emplace_back("hidden paths");
  }

  /// What the runtime makes, and what it binds there; a bind of a folder of the host shows none.
  std::map<std::string, SpecialFile> planned_devices() const {
    std::map<std::string, SpecialFile> planned;
    for (const Json& device : at("/linux/devices")) {
      const std::string type = device.value("type", "");
      const mode_t kind = type == "b" ? S_IFBLK : type == "p" ? S_IFIFO : S_IFCHR;
      const dev_t number =
          kind == S_IFIFO ? 0 : makedev(device.value("major", 0U), device.value("minor", 0U));
      planned[folded(device.value("path", ""))] = {kind, number};
    }
    for (const Json& mount : at("/mounts")) {
      const std::string target = folded(mount.value("destination", ""));
      if (mount.value("type", "") != "bind" || !is_within(target, "/dev")) continue;
      const auto source = maker_.find_file(mount.value("source", ""));
      const auto file = source ? special_file_of(*source) : std::nullopt;
      if (file) planned[target] = *file;
    }
    return planned;
  }

  void compare_devices() {
    const std::map<std::string, SpecialFile> planned = planned_devices();
    const HasTerminal terminal =
        at("/process/terminal") == Json(true) ? HasTerminal::Yes : HasTerminal::No;
    const std::vector<Difference> found = compare_special_files(view_, planned, terminal);
    for (const Difference& one : found) differ(one.what, one.planned, one.found);
    if (!found.empty()) return;
    check_.agreed.push_back(planned.empty()
                                ? "no devices of the host"
                                : fmt::format("{} devices of the host", planned.size()));
  }

  const ContainerView& view_;
  const ContainerView& maker_;
  const Json& config_;
  ContainerCheck check_;
};

}  // namespace

Result<ContainerCheck> check_container(pid_t program, pid_t maker, std::string_view config) {
  const Json json = Json::parse(config, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return make_error(ErrorKind::Corrupt, "the bundle's config.json is none");
  const ContainerView view = TRY(ContainerView::open(program));
  const ContainerView maker_view = TRY(ContainerView::open(maker));
  return Comparison(view, maker_view, json).compare();
}

}  // namespace slipway::run
