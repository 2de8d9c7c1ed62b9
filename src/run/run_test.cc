#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/process.h"
#include "run/bundle.h"
#include "run/command_lookup.h"
#include "run/id_map.h"
#include "run/limits.h"
#include "run/runtime.h"
#include "run/runtime_probe.h"
#include "run/seccomp.h"
#include "run/volumes.h"

namespace slipway::run {
namespace {

using nlohmann::json;

RunRequest sample_request() {
  RunRequest request;
  request.command = {"python", "train.py"};
  request.environment = {"PATH=/opt/venv/bin:/usr/bin", "NAME=a b"};
  request.working_folder = "/workspace";
  return request;
}

BundleFacts sample_facts() {
  BundleFacts facts;
  facts.root_path = "/scratch/root";
  facts.limits.shm_bytes = 1 << 20;
  facts.most_open_files = 4096;
  facts.most_locked_bytes = UINT64_MAX;
  facts.cgroup_path = "/slipway/one";
  return facts;
}

json config_of(const RunRequest& request, const BundleFacts& facts) {
  return json::parse(write_bundle_config(request, facts));
}

const json* find_mount(const json& config, const std::string& target) {
  for (const json& mount : config["mounts"]) {
    if (mount["destination"] == target) return &mount;
  }
  return nullptr;
}

bool has_option(const json& mount, const std::string& option) {
  const json& options = mount["options"];
  return std::find(options.begin(), options.end(), option) != options.end();
}

TEST_CASE("the bundle holds back what it must") {
  const json config = config_of(sample_request(), sample_facts());
  CHECK(!config.contains("hooks"));
  CHECK(config["process"]["noNewPrivileges"] == true);
  for (const char* set : {"bounding", "effective", "permitted", "inheritable", "ambient"}) {
    CHECK(config["process"]["capabilities"][set].empty());
  }
  CHECK(config["process"]["args"] == json({"python", "train.py"}));
  CHECK(config["process"]["env"] == json({"PATH=/opt/venv/bin:/usr/bin", "NAME=a b"}));
  CHECK(config["process"]["cwd"] == "/workspace");
  CHECK(config["root"]["readonly"] == false);
  REQUIRE(find_mount(config, "/dev") != nullptr);
  CHECK((*find_mount(config, "/dev"))["type"] == "tmpfs");
  CHECK(has_option(*find_mount(config, "/dev/shm"), "size=1048576"));
  CHECK(has_option(*find_mount(config, "/sys"), "ro"));
  CHECK(config["linux"]["cgroupsPath"] == "/slipway/one");
  CHECK(config["linux"]["resources"]["devices"][0]["allow"] == false);
  CHECK(!config["linux"]["resources"].contains("memory"));
  // Limits as numbers: RLIM_INFINITY must not become -1 or a float.
  CHECK(config["process"]["rlimits"][1]["hard"].get<std::uint64_t>() == UINT64_MAX);
  for (const json& space : config["linux"]["namespaces"]) {
    CHECK(space["type"] != "network");
    CHECK(space["type"] != "user");
  }
}

TEST_CASE("root gets few capabilities, and none that make devices or packets") {
  RunRequest request = sample_request();
  request.uid = 0;
  const json held = config_of(request, sample_facts())["process"]["capabilities"];
  CHECK(held["effective"] == held["bounding"]);
  CHECK(held["inheritable"].empty());
  CHECK(held["ambient"].empty());
  for (const json& name : held["bounding"]) {
    for (const char* forbidden : {"CAP_MKNOD", "CAP_NET_RAW", "CAP_SYS_ADMIN", "CAP_SYS_PTRACE"}) {
      CHECK(name != forbidden);
    }
  }
}

TEST_CASE("the request decides the rest of the bundle") {
  RunRequest request = sample_request();
  request.init_path = "/usr/bin/catatonit";
  request.network = Network::None;
  request.root = Access::ReadOnly;
  BundleFacts facts = sample_facts();
  facts.mounts = {{"/scratch/volumes/0", "/workspace", Access::ReadWrite},
                  {"/driver", "/usr/lib/slipway-driver", Access::ReadOnly}};
  facts.devices = {{"/dev/nvidia0", 195, 0, 0666}};
  facts.limits.memory_bytes = 64 << 20;
  facts.limits.memory_and_swap_bytes = 64 << 20;
  facts.limits.cpus = 1.5;
  const json config = config_of(request, facts);
  CHECK(config["process"]["args"] == json({"/usr/bin/catatonit", "--", "python", "train.py"}));
  CHECK(config["root"]["readonly"] == true);
  CHECK(config["linux"]["namespaces"].back()["type"] == "network");
  CHECK(has_option(*find_mount(config, "/workspace"), "rw"));
  CHECK(has_option(*find_mount(config, "/workspace"), "nosuid"));
  CHECK(has_option(*find_mount(config, "/usr/lib/slipway-driver"), "ro"));
  CHECK(config["linux"]["devices"][0]["path"] == "/dev/nvidia0");
  CHECK(config["linux"]["resources"]["devices"][1]["major"] == 195);
  CHECK(config["linux"]["resources"]["memory"]["limit"] == 64 << 20);
  CHECK(config["linux"]["resources"]["memory"]["swap"] == 64 << 20);
  CHECK(config["linux"]["resources"]["cpu"]["quota"] == 150000);
  CHECK(config["linux"]["resources"]["cpu"]["period"] == 100000);
}

TEST_CASE("in a user namespace, what only root may ask for is left out") {
  BundleFacts facts = sample_facts();
  facts.in_user_namespace = true;
  facts.cgroup_path.clear();
  const json config = config_of(sample_request(), facts);
  CHECK(!config["linux"].contains("cgroupsPath"));
  CHECK(!config["linux"]["resources"].contains("devices"));
  CHECK((*find_mount(config, "/sys"))["type"] == "bind");
}

TEST_CASE("text that is no UTF-8 does no harm") {
  RunRequest request = sample_request();
  request.environment.push_back("BROKEN=\xff\xfe");
  CHECK(config_of(request, sample_facts())["process"]["env"].size() == 3);
}

TEST_CASE("the same request gives the same bytes") {
  CHECK(write_bundle_config(sample_request(), sample_facts()) ==
        write_bundle_config(sample_request(), sample_facts()));
}

TEST_CASE("the filter refuses the ways out and leaves what training needs") {
  const auto calls = forbidden_calls();
  const auto is_forbidden = [&](std::string_view name) {
    return std::find(calls.begin(), calls.end(), name) != calls.end();
  };
  for (const char* name : {"mount", "unshare", "setns", "bpf", "keyctl", "io_uring_setup",
                           "open_by_handle_at", "init_module", "fsopen", "userfaultfd"}) {
    CAPTURE(name);
    CHECK(is_forbidden(name));
  }
  for (const char* name : {"clone", "ptrace", "mbind", "set_mempolicy", "get_mempolicy", "chroot",
                           "process_vm_readv", "process_vm_writev", "sched_setaffinity", "mlock"}) {
    CAPTURE(name);
    CHECK(!is_forbidden(name));
  }
}

TEST_CASE("limits") {
  HostLimits able;
  able.memory_bytes = 16ULL << 30;
  able.cores = 4;
  able.can_limit_memory = able.can_limit_swap = able.can_limit_cpus = true;
  HostLimits unable = able;
  unable.can_limit_memory = unable.can_limit_swap = unable.can_limit_cpus = false;
  unable.missing = "nothing is delegated";
  unable.remedy = "do this";
  const auto memory = [](std::uint64_t bytes, Strictness how) {
    Limits limits;
    limits.memory_bytes = {bytes, how};
    return limits;
  };
  const auto cpus = [](double cores, Strictness how) {
    Limits limits;
    limits.cpus = {cores, how};
    return limits;
  };
  struct Case {
    const char* name;
    Limits wanted;
    const HostLimits* host;
    std::optional<ErrorKind> failure;
    std::optional<std::uint64_t> memory;
    std::optional<double> cpus;
    std::size_t notes;
  };
  const auto exact = Strictness::Exact;
  const auto ceiling = Strictness::Ceiling;
  const std::vector<Case> cases = {
      {"nothing wanted", {}, &unable, {}, {}, {}, 0},
      {"exact", memory(1 << 30, exact), &able, {}, 1 << 30, {}, 0},
      {"all of it", memory(16ULL << 30, exact), &able, {}, 16ULL << 30, {}, 0},
      {"exact, too much", memory(17ULL << 30, exact), &able, ErrorKind::Unsupported, {}, {}, 0},
      {"ceiling, lowered", memory(17ULL << 30, ceiling), &able, {}, 16ULL << 30, {}, 1},
      {"exact, not enforceable",
       memory(1 << 30, exact),
       &unable,
       ErrorKind::Unsupported,
       {},
       {},
       0},
      {"ceiling, not enforceable", memory(1 << 30, ceiling), &unable, {}, {}, {}, 1},
      {"ceiling, lowered and not enforceable",
       memory(17ULL << 30, ceiling),
       &unable,
       {},
       {},
       {},
       2},
      {"too little", memory(1024, ceiling), &able, ErrorKind::InvalidInput, {}, {}, 0},
      {"none", memory(0, exact), &able, ErrorKind::InvalidInput, {}, {}, 0},
      {"half a core", cpus(0.5, exact), &able, {}, {}, 0.5, 0},
      {"no core", cpus(0, exact), &able, ErrorKind::InvalidInput, {}, {}, 0},
      {"negative", cpus(-1, ceiling), &able, ErrorKind::InvalidInput, {}, {}, 0},
      {"no number", cpus(std::nan(""), ceiling), &able, ErrorKind::InvalidInput, {}, {}, 0},
      {"too many cores", cpus(5, exact), &able, ErrorKind::Unsupported, {}, {}, 0},
      {"lowered cores", cpus(5, ceiling), &able, {}, {}, 4, 1},
      {"cores, not enforceable", cpus(2, exact), &unable, ErrorKind::Unsupported, {}, {}, 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::vector<std::string> notes;
    const Result<ResolvedLimits> resolved = resolve_limits(c.wanted, *c.host, notes);
    REQUIRE(resolved.ok() == !c.failure.has_value());
    CHECK(notes.size() == c.notes);
    if (!resolved.ok()) {
      CHECK(resolved.error().kind == *c.failure);
      continue;
    }
    CHECK(resolved->memory_bytes == c.memory);
    CHECK(resolved->memory_and_swap_bytes == c.memory);
    CHECK(resolved->cpus == c.cpus);
    CHECK(resolved->shm_bytes == 8ULL << 30);
  }
  std::vector<std::string> notes;
  const Error refused = resolve_limits(memory(1 << 30, exact), unable, notes).error();
  CHECK(refused.because == std::vector<std::string>{"nothing is delegated"});
  CHECK(refused.hints == std::vector<std::string>{"do this"});
  able.memory_bytes = 4ULL << 30;
  CHECK(resolve_limits({}, able, notes)->shm_bytes == 2ULL << 30);
}

TEST_CASE("layouts of control groups") {
  const std::string v1 = "30 20 0:1 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
  const std::string beside =
      "31 20 0:2 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n";
  const std::string alone = "32 20 0:2 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup rw\n";
  const std::string foreign = "33 20 0:3 / /mnt/tree/sys/fs/cgroup rw - cgroup cgroup rw\n";
  CHECK(parse_cgroup_mounts(v1).layout == CgroupLayout::V1);
  CHECK(parse_cgroup_mounts(v1 + beside).layout == CgroupLayout::Hybrid);
  CHECK(parse_cgroup_mounts(v1 + beside).unified_path == "/sys/fs/cgroup/unified");
  CHECK(parse_cgroup_mounts(alone).layout == CgroupLayout::V2);
  CHECK(parse_cgroup_mounts(alone + foreign).layout == CgroupLayout::V2);
  CHECK(parse_cgroup_mounts("").layout == CgroupLayout::None);
  CHECK(parse_cgroup_mounts("nonsense\n - \n1 2 3 - cgroup2\n").layout == CgroupLayout::None);
}

TEST_CASE("a delegated group is one in which others can be made") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "cgroup-test").value();
  const auto make = [&](const std::string& group, const char* procs, const char* controllers) {
    REQUIRE(make_folders(folder.path() + group).ok());
    REQUIRE(write_file(folder.path() + group + "/cgroup.procs", procs).ok());
    REQUIRE(write_file(folder.path() + group + "/cgroup.controllers", controllers).ok());
  };
  make("/user.slice/app.slice", "", "cpu memory pids\n");
  make("/user.slice/app.slice/term.scope", "17\n", "cpu memory pids\n");
  CHECK(find_delegated_group(folder.path(), "/user.slice/app.slice/term.scope") ==
        "/user.slice/app.slice");
  make("/busy", "1\n", "cpu memory\n");
  make("/busy/own", "2\n", "cpu memory\n");
  CHECK(!find_delegated_group(folder.path(), "/busy/own"));
  make("/poor", "", "cpuset pids\n");
  make("/poor/own", "2\n", "");
  CHECK(!find_delegated_group(folder.path(), "/poor/own"));
  CHECK(!find_delegated_group(folder.path(), "/"));
}

TEST_CASE("controllers are enabled one by one, as far as there are any") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "cgroup-test").value();
  const auto inside = [&](const char* name) { return join_path(folder.path(), name); };
  REQUIRE(write_file(inside("cgroup.controllers"), "cpuset cpu memory pids\n").ok());
  REQUIRE(write_file(inside("cgroup.subtree_control"), "memory\n").ok());
  REQUIRE(enable_controllers(folder.path()).ok());
  CHECK(read_file(inside("cgroup.subtree_control")).value() == "memory\n+cpu+pids");
  REQUIRE(write_file(inside("cgroup.subtree_control"), "cpu memory pids\n").ok());
  REQUIRE(enable_controllers(folder.path()).ok());
  CHECK(read_file(inside("cgroup.subtree_control")).value() == "cpu memory pids\n");
  REQUIRE(remove_file(inside("cgroup.subtree_control")).ok());
  REQUIRE(make_folders(inside("cgroup.subtree_control")).ok());
  CHECK(!enable_controllers(folder.path()).ok());
}

TEST_CASE("two users change places and all others stay") {
  CHECK(swap_map_text({0, 1000}) == "0 1000 1\n1 1 999\n1000 0 1\n1001 1001 4294966294\n");
  CHECK(swap_map_text({1000, 0}) == swap_map_text({0, 1000}));
  CHECK(swap_map_text({5, 6}) == "0 0 5\n5 6 1\n6 5 1\n7 7 4294967288\n");
  CHECK(swap_map_text({7, 7}) == "0 0 7\n7 7 1\n8 8 4294967287\n");
}

TEST_CASE("paths inside the container") {
  for (const char* path : {"/", "/workspace", "/a/../b", "/process", "/devel", "/sysroot"}) {
    CAPTURE(path);
    CHECK(check_inside_path("folder", path).ok());
  }
  for (const char* path : {"/proc", "/proc/self/fd/3", "/sys/", "/dev/shm", "/a/../proc/1", "//dev",
                           "relative", "", "/./sys/x"}) {
    CAPTURE(path);
    CHECK(!check_inside_path("folder", path).ok());
  }
}

TEST_CASE("what runtimes say") {
  CHECK(parse_runtime_log("{\"msg\":\"careful\",\"level\":\"warning\"}\n"
                          "{\"msg\":\"first\",\"level\":\"error\",\"time\":\"x\"}\n"
                          "{\"msg\":\"second\",\"level\":\"error\"}\n") == "first");
  CHECK(parse_runtime_log("") == "");
  CHECK(parse_runtime_log("plain text\n") == "plain text");
  CHECK(parse_runtime_log("{\"level\":3,\"msg\":[]}\n[]\n") == "[]");
  struct Case {
    const char* message;
    int status;
  };
  for (const Case& c : {
           Case{"executable file `x` not found in $PATH: No such file or directory", 127},
           Case{"runc run failed: exec: \"x\": executable file not found in $PATH", 127},
           Case{"exec: \"/etc/passwd\": permission denied", 126},
           Case{"open executable: Permission denied", 126},
           Case{"open `/scratch/root/etc/hosts`: No such file or directory", 0},
           Case{"cgroups in hybrid mode not supported", 0},
       }) {
    CAPTURE(c.message);
    CHECK(command_problem_in(c.message) == c.status);
  }
}

TEST_CASE("what a runtime's end says") {
  using Kind = RoomEnd::Kind;
  RoomRequest request;
  request.arguments = {"/bin/crun"};
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "run-test").value();
  const std::string log = join_path(folder.path(), "log");
  const auto said = [&](Kind kind, int status, int error_number) {
    return find_runtime_error({kind, status, -1, error_number}, request, log);
  };
  CHECK(said(Kind::Exited, 0, 0) == "");
  CHECK(said(Kind::Exited, 127, 0) == "it ended with status 127 and logged nothing");
  CHECK(said(Kind::ExecFailed, 0, ENOEXEC) == "cannot run `/bin/crun`: Exec format error");
  CHECK(command_problem_in(said(Kind::ExecFailed, 0, ENOEXEC)) == 0);
  CHECK(said(Kind::Killed, 0, 0) == "`/bin/crun` was killed");
  REQUIRE(write_file(log, "{\"msg\":\"no\",\"level\":\"error\"}\n", 0600).ok());
  CHECK(said(Kind::Exited, 1, 0) == "no");
  CHECK(said(Kind::Exited, 0, 0) == "");
}

TEST_CASE("the program of a probe") {
  const std::string program = make_tiny_program();
  if (program.empty()) return;
  CHECK(program.size() < 140);
  const TemporaryFolder folder = TemporaryFolder::create("/var/tmp", "run-test").value();
  const std::string path = join_path(folder.path(), "tiny");
  REQUIRE(write_file(path, program, 0700).ok());
  const Result<ProcessResult> result = run_process({path});
  REQUIRE(result.ok());
  CHECK(result->status == 0);
}

TEST_CASE("runtimes are called without a shell and keep their state with us") {
  const RuntimeCall call{"/s/state", "/s/log", "/s/bundle", "one", false};
  CHECK(make_run_arguments({Runtime::Crun, "/bin/crun"}, call) ==
        std::vector<std::string>{"/bin/crun", "--root", "/s/state", "--log", "/s/log",
                                 "--log-format", "json", "--cgroup-manager=disabled", "run",
                                 "--detach", "--pid-file", "/s/bundle/pid", "--bundle", "/s/bundle",
                                 "one"});
  HostLimits hybrid;
  hybrid.layout = CgroupLayout::Hybrid;
  hybrid.unified_path = "/sys/fs/cgroup/unified";
  HostLimits plain;
  plain.layout = CgroupLayout::V2;
  CHECK(make_runtime_steps({Runtime::Crun, "crun"}, hybrid, false)[0].call ==
        ChildStep::Call::Unmount);
  CHECK(make_runtime_steps({Runtime::Crun, "crun"}, hybrid, true)[0].call ==
        ChildStep::Call::Mount);
  CHECK(make_runtime_steps({Runtime::Runc, "runc"}, hybrid, false).empty());
  CHECK(make_runtime_steps({Runtime::Crun, "crun"}, plain, false).empty());
}

TEST_CASE("an exec has the limits of the run") {
  RunRequest request = sample_request();
  request.resource_limits = {{"NOFILE", 321, 400}, {"CORE", 0, UINT64_MAX}};
  BundleFacts facts;
  facts.most_locked_bytes = 65536;
  RunRequest process;
  process.resource_limits = parse_bundle_limits(write_bundle_config(request, facts)).value();
  const json limits = json::parse(write_process(process))["rlimits"];
  REQUIRE(limits.size() == 3);
  CHECK(limits[0] == json{{"type", "RLIMIT_NOFILE"}, {"hard", 400}, {"soft", 321}});
  CHECK(limits[1]["hard"].get<std::uint64_t>() == UINT64_MAX);
  CHECK(limits[2] == json{{"type", "RLIMIT_MEMLOCK"}, {"hard", 65536}, {"soft", 65536}});
  for (const char* text :
       {"", "{}", "[]", R"({"process": {"rlimits": {}}})", R"({"process": {"rlimits": [1]}})",
        R"({"process": {"rlimits": [{"type": "NOFILE", "soft": 1, "hard": 1}]}})",
        R"({"process": {"rlimits": [{"type": "RLIMIT_AS", "soft": -1, "hard": 1}]}})"}) {
    CAPTURE(text);
    CHECK(!parse_bundle_limits(text).ok());
  }
}

TEST_CASE("the user of an exec goes in a file, never as an option") {
  RunRequest request = sample_request();
  request.uid = 7;
  request.gid = 8;
  const json process = json::parse(write_process(request));
  CHECK(process["user"]["uid"] == 7);
  CHECK(process["user"]["gid"] == 8);
  for (const Runtime kind : {Runtime::Crun, Runtime::Runc}) {
    const std::vector<std::string> words = make_exec_arguments(
        {kind, "runtime"}, {"state", "log", "bundle", "id", true}, "", "process.json");
    const auto file = std::find(words.begin(), words.end(), "--process");
    REQUIRE(file != words.end());
    CHECK(*(file + 1) == "bundle/process.json");
    for (const char* option : {"-u", "--user", "--additional-gids", "-g"}) {
      CHECK(std::find(words.begin(), words.end(), option) == words.end());
    }
  }
}

TEST_CASE("a command is looked for through layers, links and volumes") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "lookup-test").value();
  const std::string top = folder.path() + "/top";
  const std::string low = folder.path() + "/low";
  REQUIRE(make_folders(top + "/opt/venv/bin").ok());
  REQUIRE(make_folders(low + "/usr/bin").ok());
  REQUIRE(write_file(low + "/usr/bin/python3.11", "x", 0755).ok());
  REQUIRE(write_file(low + "/usr/bin/notes", "x", 0644).ok());
  REQUIRE(::symlink("python3.11", (low + "/usr/bin/python3").c_str()) == 0);
  REQUIRE(::symlink("usr/bin", (low + "/bin").c_str()) == 0);
  REQUIRE(::symlink("/bin/python3", (top + "/opt/venv/bin/python").c_str()) == 0);
  REQUIRE(::symlink("loop", (top + "/opt/venv/bin/loop").c_str()) == 0);
  REQUIRE(::symlink("../../../../../../etc/passwd", (top + "/opt/venv/bin/out").c_str()) == 0);
  RunRequest request;
  request.lower_folders = {top, low};
  request.volumes = {{"/home", "/work/space", Access::ReadWrite}};
  request.driver.programs = {{"/opt/driver/smi", "/usr/bin/nvidia-smi", Access::ReadOnly}};
  request.environment = {"PATH=/opt/venv/bin:/usr/bin"};
  request.working_folder = "/usr";
  struct Case {
    const char* command;
    std::optional<int> problem;
  };
  for (const Case& c : {
           Case{"python", {}},
           Case{"/bin/python3", {}},
           Case{"bin/python3", {}},
           Case{"./bin/../bin/python3.11", {}},
           Case{"python4", 127},
           Case{"/usr/bin/notes", 126},
           Case{"notes", 126},
           Case{"/usr/bin", 126},
           Case{"loop", 127},
           Case{"out", 127},
           Case{"/work/space/run.sh", {}},
           Case{"/work/other/run.sh", 127},
           Case{"/proc/self/exe", {}},
           Case{"nvidia-smi", {}},
           Case{"/bin/nvidia-smi", {}},
           Case{"nvidia-debugdump", 127},
       }) {
    CAPTURE(c.command);
    request.command = {c.command};
    CHECK(find_command_problem(request) == c.problem);
  }
}

}  // namespace
}  // namespace slipway::run
