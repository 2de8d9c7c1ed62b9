#include "run/host_findings.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "base/file.h"

namespace slipway::run {
namespace {

using gpu::Caller;
using gpu::HostFinding;
using gpu::HostFindings;

const Caller kUser{1000, 1000, {1000}, "somebody"};
const Caller kRoot{0, 0, {}, "root"};

/// A host on which nothing is wrong, for anybody.
HostState good() {
  HostState state;
  state.distribution.family = gpu::Distribution::Family::Debian;
  state.kernel_release = "6.12.0";
  state.runtimes = {{"crun", "1.28"}, {"runc", "1.4.0"}};
  state.max_user_namespaces = 96365;
  state.has_uidmap = state.uidmap_is_privileged = true;
  state.subordinate_uids = state.subordinate_gids = 65536;
  state.free_subordinate_id = 165536;
  state.mounts = MountProbe{};
  state.kernel_knows_overlay = true;
  state.has_pasta = state.tun_is_open = true;
  state.cgroups = CgroupLayout::V2;
  state.can_limit = true;
  state.store = {"/home/somebody/store", true, true, "ext4", 500ULL << 30, 1};
  state.cache = {"/home/somebody/cache", true, true, "ext4", 500ULL << 30, 1};
  state.memory_bytes = 64ULL << 30;
  state.available_bytes = 60ULL << 30;
  state.cores = 16;
  state.unix_time = 1800000000;
  state.most_locked_bytes = ~0ULL;
  return state;
}

std::vector<std::string> ids(const HostFindings& findings) {
  std::vector<std::string> list;
  for (const HostFinding& finding : findings)
    list.push_back(fmt::format("{} {}", severity_name(finding.severity), finding.id));
  return list;
}

TEST_CASE("a host on which nothing is wrong") {
  const std::vector<std::string> fine{"ok runtime", "ok namespaces", "ok cgroups",
                                      "ok store",   "ok cache",      "ok memory"};
  const HostFindings of_user = judge_host_state(good(), kUser);
  CHECK(ids(of_user) == fine);
  CHECK(of_user[0].message == "crun 1.28, runc 1.4.0");
  CHECK(of_user[1].message == "namespaces and overlay mounts work, with 65536 subordinate ids");
  CHECK(of_user[2].message == "control groups version 2: memory and cpus can be limited");
  CHECK(of_user[3].message == "store /home/somebody/store: 537 GB free on ext4");
  CHECK(of_user[5].message == "60g of 64g memory available, 16 cores");
  CHECK(ids(judge_host_state(good(), kRoot)) == fine);
}

TEST_CASE("each thing that can be wrong for containers") {
  struct Case {
    const char* finding;
    std::string remedy;
    std::function<void(HostState&)> change;
    enum class Root { Same, Fine } root;  // what root sees of it
  };
  using Root = Case::Root;
  const std::string sysctl = " && sudo sysctl --system";
  const std::string file = " | sudo tee /etc/sysctl.d/60-user-namespaces.conf";
  const std::vector<Case> cases = {
      {"broken runtime-missing", "sudo apt-get install crun",
       [](HostState& s) { s.runtimes.clear(); }, Root::Same},
      {"warning runtime-fails", "sudo apt-get install --reinstall crun",
       [](HostState& s) { s.runtimes[0].version.clear(); }, Root::Same},
      {"note runtime-old", "sudo apt-get install runc",
       [](HostState& s) { s.runtimes[1].version = "1.1.5"; }, Root::Same},
      {"broken userns-off", "echo 'user.max_user_namespaces=15000'" + file + sysctl,
       [](HostState& s) { s.max_user_namespaces = 0; }, Root::Fine},
      {"broken userns-off", "echo 'kernel.unprivileged_userns_clone=1'" + file + sysctl,
       [](HostState& s) { s.userns_clone = 0; }, Root::Fine},
      {"broken userns-apparmor",
       "echo 'kernel.apparmor_restrict_unprivileged_userns=0'" + file + sysctl,
       [](HostState& s) {
         s.apparmor_userns = 1;
         s.mounts = {};
       },
       Root::Fine},
      {"broken userns-denied", "", [](HostState& s) { s.mounts->namespace_error = EPERM; },
       Root::Same},
      {"warning uidmap-missing", "sudo apt-get install uidmap",
       [](HostState& s) { s.has_uidmap = s.uidmap_is_privileged = false; }, Root::Fine},
      {"warning uidmap-bits", "sudo chmod u+s $(command -v newuidmap newgidmap)",
       [](HostState& s) { s.uidmap_is_privileged = false; }, Root::Fine},
      {"warning no-new-privileges", "systemd-run --user --pty bash  # a session without it",
       [](HostState& s) { s.may_gain_privileges = false; }, Root::Fine},
      {"warning subids-missing",
       "sudo usermod --add-subuids 165536-231071 --add-subgids 165536-231071 $USER",
       [](HostState& s) { s.subordinate_gids = 1000; }, Root::Fine},
      {"broken overlay-missing",
       "echo overlay | sudo tee /etc/modules-load.d/overlay.conf && sudo modprobe overlay",
       [](HostState& s) { s.mounts->overlay_error = ENODEV; }, Root::Same},
      {"broken overlay-fails", "export SLIPWAY_HOME=/path/on/a/local/disk",
       [](HostState& s) { s.mounts->overlay_error = EINVAL; }, Root::Same},
      {"warning cgroups-missing", "", [](HostState& s) { s.cgroups = CgroupLayout::None; },
       Root::Same},
      {"note pasta-missing", "sudo apt-get install passt",
       [](HostState& s) { s.has_pasta = false; }, Root::Same},
      {"note tun-closed", "sudo chmod 666 /dev/net/tun",
       [](HostState& s) { s.tun_is_open = false; }, Root::Fine},
      {"broken store-closed", "sudo chown -R $USER /home/somebody/store",
       [](HostState& s) { s.store.is_writable = false; }, Root::Same},
      {"broken store-closed", "sudo install -d -o $USER /home/somebody/store",
       [](HostState& s) { s.store.is_writable = s.store.exists = false; }, Root::Same},
      {"warning cache-full", "slipway gc\nexport SLIPWAY_CACHE=/path/on/a/larger/disk  # or there",
       [](HostState& s) { s.cache.free_bytes = 5ULL << 30; }, Root::Same},
      {"broken store-full", "slipway gc\nexport SLIPWAY_HOME=/path/on/a/larger/disk  # or there",
       [](HostState& s) { s.store.free_bytes = 5ULL << 20; }, Root::Same},
      {"warning memory-low", "ps aux --sort=-rss | head",
       [](HostState& s) { s.available_bytes = 1ULL << 30; }, Root::Same},
      {"broken clock-wrong", "sudo timedatectl set-ntp true",
       [](HostState& s) { s.unix_time = 86400; }, Root::Same},
      {"warning memlock-low",
       "echo '* - memlock unlimited' | sudo tee /etc/security/limits.d/memlock.conf  # then log in "
       "again",
       [](HostState& s) {
         s.has_infiniband = true;
         s.most_locked_bytes = 8ULL << 20;
       },
       Root::Same},
  };
  const auto bad = [](const HostFindings& findings) {
    HostFindings rest;
    for (const HostFinding& finding : findings)
      if (finding.severity != gpu::Severity::Ok) rest.push_back(finding);
    return rest;
  };
  for (const Case& c : cases) {
    CAPTURE(c.finding);
    CAPTURE(c.remedy);
    HostState state = good();
    c.change(state);
    const HostFindings found = bad(judge_host_state(state, kUser));
    REQUIRE(ids(found) == std::vector<std::string>{c.finding});
    CHECK(found[0].remedy == c.remedy);
    CHECK_FALSE(found[0].symptom.empty());
    CHECK(bad(judge_host_state(state, kRoot)).size() == (c.root == Root::Same ? 1 : 0));
  }
}

TEST_CASE("AppArmor's restriction does not matter where namespaces work all the same") {
  HostState state = good();
  state.apparmor_userns = 1;
  CHECK(ids(judge_namespaces(state, kUser)) == std::vector<std::string>{"ok namespaces"});
}

TEST_CASE("an old kernel refuses overlay mounts to ordinary users") {
  HostState state = good();
  state.mounts->overlay_error = EPERM;
  state.kernel_release = "5.4.0";
  CHECK(ids(judge_namespaces(state, kUser)) == std::vector<std::string>{"broken overlay-denied"});
  CHECK(ids(judge_namespaces(state, kRoot)) == std::vector<std::string>{"broken overlay-fails"});
}

TEST_CASE("limits and the layouts of control groups") {
  struct Case {
    CgroupLayout layout;
    const char* user;
    const char* root;
  };
  for (const Case& c :
       {Case{CgroupLayout::V1, "warning cgroups-v1", "warning cgroups-closed"},
        Case{CgroupLayout::Hybrid, "warning cgroups-v1", "warning cgroups-closed"},
        Case{CgroupLayout::V2, "warning cgroups-delegation", "warning cgroups-closed"}}) {
    HostState state = good();
    state.cgroups = c.layout;
    state.can_limit = false;
    CHECK(ids(judge_cgroups(state, kUser)) == std::vector<std::string>{c.user});
    CHECK(ids(judge_cgroups(state, kRoot)) == std::vector<std::string>{c.root});
  }
}

TEST_CASE("versions of runtimes, and what is known against them") {
  CHECK(parse_runtime_version("crun version 1.8.1\ncommit: f8a0\n") == "1.8.1");
  CHECK(parse_runtime_version("runc version 1.1.5+ds1-1+deb12u1\n") == "1.1.5");
  CHECK(parse_runtime_version("runc version 1.4.0-rc.3\n") == "1.4.0");
  CHECK(parse_runtime_version("crun version 1.\n") == "1");
  for (const char* text : {"", "version", "version ", "no such thing", "version x"})
    CHECK(parse_runtime_version(text) == "");

  const auto problem = [](const char* name, const char* version) {
    return find_runtime_problem({name, version});
  };
  CHECK(problem("runc", "1.1.5") == "before 1.1.12, which fixed CVE-2024-21626");
  CHECK(problem("runc", "1.1.12") == "before 1.2.8, which fixed CVE-2025-31133, -52565 and -52881");
  CHECK(problem("runc", "1.3.1") == "before 1.3.3, which fixed CVE-2025-31133, -52565 and -52881");
  CHECK(problem("runc", "1.1.5+ds1-1+deb12u1") == "before 1.1.12, which fixed CVE-2024-21626");
  CHECK(problem("runc", "1.4.0-rc.2") ==
        "before 1.4.0-rc.3, which fixed CVE-2025-31133, -52565 and -52881");
  CHECK(problem("runc", "1.4.0-rc.3") == "");
  CHECK(problem("crun", "1.27") == "before 1.28, which fixed CVE-2026-47766");
  CHECK(problem("crun", "1.8.1") == "before 1.28, which fixed CVE-2026-47766");
  for (const char* version : {"1.2.8", "1.3.3", "1.4.0", "2", "999999999999999999", ""})
    CHECK(problem("runc", version) == "");
  CHECK(problem("crun", "1.28") == "");
}

TEST_CASE("a host is read from its files") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "doctor-test").value();
  const auto file = [&](const std::string& path, std::string_view text, mode_t mode = 0644) {
    const std::string whole = folder.path() + path;
    REQUIRE(make_folders(parent_path(whole)).ok());
    REQUIRE(write_file(whole, text, mode).ok());
    REQUIRE(::chmod(whole.c_str(), mode) == 0);
  };
  file("/proc/sys/kernel/osrelease", "6.8.0-51-generic\n");
  file("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
  file("/proc/sys/user/max_user_namespaces", "12345\n");
  file("/proc/self/status", "Name:\tx\nNoNewPrivs:\t1\n");
  file("/proc/self/mountinfo", "32 20 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n");
  file("/proc/self/cgroup", "0::/user.slice/term.scope\n");
  file("/proc/filesystems", "nodev\tproc\nnodev\toverlay\n");
  file("/proc/meminfo", "MemTotal:       16384 kB\nMemAvailable:    8192 kB\n");
  file("/sys/fs/cgroup/user.slice/cgroup.procs", "");
  file("/sys/fs/cgroup/user.slice/cgroup.controllers", "cpu memory\n");
  file("/sys/fs/cgroup/user.slice/term.scope/cgroup.procs", "1\n");
  file("/sys/fs/cgroup/user.slice/term.scope/cgroup.controllers", "");
  file("/etc/os-release", "ID=ubuntu\nPRETTY_NAME=\"Ubuntu 24.04.1 LTS\"\n");
  file("/etc/subuid", "other:100000:65536\nsomebody:200000:65536\n");
  file("/etc/subgid", "1000:300000:1000\nother:500000:65536\n");
  file("/usr/bin/newuidmap", "", 04755);
  file("/usr/bin/newgidmap", "", 0755);
  file("/usr/bin/pasta", "", 0755);
  file("/dev/net/tun", "", 0666);
  file("/usr/bin/crun", "#!/bin/sh\necho crun version 1.14.1\n", 0755);
  file("/usr/sbin/runc", "#!/bin/sh\nexit 1\n", 0755);
  file("/sys/class/infiniband/mlx5_0/node_type", "1\n");
  file("/.dockerenv", "");

  const HostStateRequest request{
      {folder.path(), kUser}, folder.path() + "/new/store", folder.path(), 1800000000};
  HostState state = read_host_state(request);
  CHECK(state.distribution.pretty_name == "Ubuntu 24.04.1 LTS");
  CHECK(state.kernel_release == "6.8.0-51-generic");
  CHECK(state.runtimes == std::vector<RuntimeVersion>{{"crun", "1.14.1"}, {"runc", ""}});
  CHECK(state.userns_clone == -1);
  CHECK(state.max_user_namespaces == 12345);
  CHECK(state.apparmor_userns == 1);
  CHECK_FALSE(state.may_gain_privileges);
  CHECK(state.has_uidmap);
  CHECK(state.has_pasta);
  CHECK(state.tun_is_open);
  CHECK_FALSE(state.uidmap_is_privileged);
  CHECK(state.subordinate_uids == 65536);
  CHECK(state.subordinate_gids == 1000);
  CHECK(state.free_subordinate_id == 565536);
  CHECK_FALSE(state.mounts);
  CHECK(state.kernel_knows_overlay);
  CHECK(state.cgroups == CgroupLayout::V2);
  CHECK(state.can_limit);
  CHECK(state.store.is_writable);
  CHECK_FALSE(state.store.exists);
  CHECK(state.cache.exists);
  CHECK(state.store.free_bytes > 0);
  CHECK(state.store.device == state.cache.device);
  CHECK(state.memory_bytes == 16ULL << 20);
  CHECK(state.available_bytes == 8ULL << 20);
  CHECK(state.has_infiniband);
  CHECK(state.in_container);
  REQUIRE(::chmod((folder.path() + "/usr/bin/newgidmap").c_str(), 04755) == 0);
  CHECK(read_host_state(request).uidmap_is_privileged);
}

TEST_CASE("this very host answers, and the probe leaves nothing") {
  const TemporaryFolder folder = TemporaryFolder::create("/var/tmp", "doctor-test").value();
  const HostState state =
      read_host_state({{"/", Caller::current()}, folder.path(), folder.path(), 1800000000});
  CHECK(state.memory_bytes > 0);
  CHECK(state.cores >= 1);
  CHECK_FALSE(state.kernel_release.empty());
  CHECK(list_folder(folder.path()).value().empty());
  CHECK_FALSE(probe_mounts("/proc/nowhere").ok());
}

}  // namespace
}  // namespace slipway::run
