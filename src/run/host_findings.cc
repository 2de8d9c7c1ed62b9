#include "run/host_findings.h"

#include <cerrno>
#include <cstring>

namespace slipway::run {
namespace {

using gpu::HostFinding;
using gpu::HostFindings;
using gpu::Severity;

// As base/user_namespace.cc: Debian's base has ids up to 65534.
constexpr std::uint64_t kFewestIds = 65535;
constexpr std::uint64_t kIdsToGive = 65536;

HostFinding container(std::string id, Severity severity, std::string message,
                      std::string symptom = "", std::string remedy = "") {
  return {std::move(id),      "container",        severity,
          std::move(message), std::move(symptom), std::move(remedy)};
}

std::string set_sysctl(const char* setting, const char* file) {
  return fmt::format("echo '{}' | sudo tee /etc/sysctl.d/{} && sudo sysctl --system", setting,
                     file);
}

/// The first reason why an ordinary user cannot make a user namespace here.
HostFindings judge_user_namespaces(const HostState& state) {
  constexpr const char* kSymptom = "`slipway run` and `build` say `cannot make a user namespace`";
  if (state.max_user_namespaces == 0) {
    return {container("userns-off", Severity::Broken,
                      "user namespaces are switched off (user.max_user_namespaces is 0)", kSymptom,
                      set_sysctl("user.max_user_namespaces=15000", "60-user-namespaces.conf"))};
  }
  if (state.userns_clone == 0) {
    return {container("userns-off", Severity::Broken,
                      "user namespaces are for root only (kernel.unprivileged_userns_clone is 0)",
                      kSymptom,
                      set_sysctl("kernel.unprivileged_userns_clone=1", "60-user-namespaces.conf"))};
  }
  const bool works = state.mounts && state.mounts->namespace_error == 0;
  if (state.apparmor_userns == 1 && !works) {
    return {container(
        "userns-apparmor", Severity::Broken,
        "AppArmor keeps user namespaces from ordinary users "
        "(kernel.apparmor_restrict_unprivileged_userns is 1, as in Ubuntu 24.04)",
        "`slipway run` and `build` say `Permission denied` or `Operation not permitted`",
        set_sysctl("kernel.apparmor_restrict_unprivileged_userns=0", "60-user-namespaces.conf"))};
  }
  if (state.mounts && !works) {
    return {container("userns-denied", Severity::Broken,
                      fmt::format("this system refuses user namespaces: {}{}",
                                  std::strerror(state.mounts->namespace_error),
                                  state.in_container ? " (this is a container)" : ""),
                      kSymptom, "")};
  }
  return {};
}

std::string grant_ids(const HostState& state) {
  const std::uint64_t first = state.free_subordinate_id;
  return fmt::format("sudo usermod --add-subuids {0}-{1} --add-subgids {0}-{1} $USER", first,
                     first + kIdsToGive - 1);
}

// Runs go on with one id (base/user_namespace.h).
constexpr const char* kOneUser = "containers have one user, you, and `slipway build` is refused";

void judge_id_ranges(const HostState& state, HostFindings& findings) {
  if (!state.has_uidmap) {
    findings.push_back(container("uidmap-missing", Severity::Warning,
                                 "newuidmap and newgidmap are not installed", kOneUser,
                                 install_command(state.distribution, "uidmap", "shadow-utils")));
  } else if (!state.uidmap_is_privileged) {
    findings.push_back(container("uidmap-bits", Severity::Warning,
                                 "newuidmap and newgidmap have lost their set-user-id bit",
                                 kOneUser, "sudo chmod u+s $(command -v newuidmap newgidmap)"));
  } else if (!state.may_gain_privileges) {
    findings.push_back(container("no-new-privileges", Severity::Warning,
                                 "this session may not gain privileges (no_new_privs is set), so "
                                 "newuidmap cannot work",
                                 kOneUser,
                                 "systemd-run --user --pty bash  # a session without it"));
  }
  if (state.subordinate_uids < kFewestIds || state.subordinate_gids < kFewestIds) {
    findings.push_back(
        container("subids-missing", Severity::Warning,
                  state.subordinate_uids == 0 || state.subordinate_gids == 0
                      ? std::string("you have no subordinate ids in /etc/subuid and /etc/subgid")
                      : std::string("you have fewer than 65536 subordinate ids in /etc/subuid and "
                                    "/etc/subgid"),
                  kOneUser, grant_ids(state)));
  }
}

HostFindings judge_overlay(const HostState& state, const gpu::Caller& caller) {
  const std::string symptom = "`slipway run` and `build` fail while mounting the layers";
  const int error = state.mounts ? state.mounts->overlay_error : 0;
  if (error == ENODEV || (!state.mounts && !state.kernel_knows_overlay)) {
    return {container("overlay-missing", Severity::Broken,
                      "the kernel has no overlay file system loaded", symptom,
                      "echo overlay | sudo tee /etc/modules-load.d/overlay.conf && sudo modprobe "
                      "overlay")};
  }
  if (error == 0) return {};
  if (error == EPERM && caller.uid != 0) {
    return {container("overlay-denied", Severity::Broken,
                      fmt::format("kernel {} refuses overlay mounts to ordinary users (Linux 5.11 "
                                  "is the first that has them)",
                                  state.kernel_release),
                      symptom, "sudo -E slipway run …  # as root it works")};
  }
  return {container("overlay-fails", Severity::Broken,
                    fmt::format("overlay mounts do not work in {}, which is on {}: {}",
                                state.store.path, state.store.file_system, std::strerror(error)),
                    symptom, "export SLIPWAY_HOME=/path/on/a/local/disk")};
}

std::string boot_with_v2(const HostState& state) {
  constexpr const char* kWord = "systemd.unified_cgroup_hierarchy=1";
  return state.distribution.family == gpu::Distribution::Family::Fedora
             ? fmt::format("sudo grubby --update-kernel=ALL --args={} && sudo reboot", kWord)
             : fmt::format(
                   "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&{} /' /etc/default/grub && sudo "
                   "update-grub && sudo reboot",
                   kWord);
}

}  // namespace

gpu::HostFindings judge_namespaces(const HostState& state, const gpu::Caller& caller) {
  HostFindings findings;
  if (caller.uid != 0) {
    findings = judge_user_namespaces(state);
    judge_id_ranges(state, findings);
  } else if (state.mounts && state.mounts->namespace_error != 0) {
    findings.push_back(container("namespaces-denied", Severity::Broken,
                                 fmt::format("this root may not make namespaces: {}{}",
                                             std::strerror(state.mounts->namespace_error),
                                             state.in_container ? " (this is a container)" : ""),
                                 "`slipway run` and `build` fail at once",
                                 "docker run --privileged …  # for the container that this is"));
  }
  for (HostFinding& finding : judge_overlay(state, caller)) findings.push_back(std::move(finding));
  if (!findings.empty()) return findings;
  std::string text = "namespaces and overlay mounts work";
  if (!state.mounts) text = "namespaces and overlay mounts are there";
  if (caller.uid == 0) return {container("namespaces", Severity::Ok, text + ", as root")};
  return {container("namespaces", Severity::Ok,
                    fmt::format("{}, with {} subordinate ids", text, state.subordinate_uids))};
}

gpu::HostFindings judge_cgroups(const HostState& state, const gpu::Caller& caller) {
  constexpr const char* kSymptom = "`--memory` and `--cpus` are refused";
  const char* const name = state.cgroups == CgroupLayout::V2       ? "version 2"
                           : state.cgroups == CgroupLayout::V1     ? "version 1"
                           : state.cgroups == CgroupLayout::Hybrid ? "version 1 (hybrid)"
                                                                   : nullptr;
  if (name == nullptr) {
    return {container("cgroups-missing", Severity::Warning, "no control groups are mounted",
                      kSymptom, "")};
  }
  if (state.can_limit) {
    return {container("cgroups", Severity::Ok,
                      fmt::format("control groups {}: memory and cpus can be limited", name))};
  }
  if (state.cgroups != CgroupLayout::V2 && caller.uid != 0) {
    return {container("cgroups-v1", Severity::Warning,
                      fmt::format("control groups are {}, where only root can set limits", name),
                      kSymptom, boot_with_v2(state))};
  }
  if (caller.uid != 0) {
    return {container(
        "cgroups-delegation", Severity::Warning,
        "no control group with memory and cpu is delegated to you", kSymptom,
        "systemd-run --user --scope -p Delegate=yes slipway run …\n"
        "sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu "
        "cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && "
        "sudo systemctl daemon-reload  # for good")};
  }
  return {container("cgroups-closed", Severity::Warning,
                    fmt::format("control groups {} cannot be changed from here", name), kSymptom,
                    "")};
}

gpu::HostFindings judge_host_state(const HostState& state, const gpu::Caller& caller) {
  HostFindings findings = judge_runtimes(state);
  for (const auto& part : {judge_namespaces(state, caller), judge_cgroups(state, caller),
                           judge_network(state, caller), judge_machine(state)})
    findings.insert(findings.end(), part.begin(), part.end());
  return findings;
}

}  // namespace slipway::run
