#include "plan/gpu_list.h"

#include <doctest/doctest.h>

#include "base/file.h"

namespace slipway::plan {
namespace {

TEST_CASE("the run of a process: by its control group, or by its ancestors") {
  const TemporaryFolder root = TemporaryFolder::create("/tmp").value();
  const auto process = [&](int pid, int parent, const std::string& group) {
    const std::string folder = fmt::format("{}/proc/{}", root.path(), pid);
    REQUIRE(make_folders(folder).ok());
    REQUIRE(
        write_file(folder + "/status", fmt::format("Name:\tx\nPPid:\t{}\nUid:\t0\n", parent)).ok());
    REQUIRE(write_file(folder + "/cgroup", group).ok());
  };
  const std::string id(32, 'a');
  process(10, 1, "0::/user.slice\n");
  process(11, 10, "0::/user.slice\n");
  process(12, 11, "0::/user.slice\n");
  process(20, 1, "0::/user.slice/slipway-" + id + "/inner\n");
  process(30, 30, "0::/\n");  // its own parent: an end all the same
  run::KnownRun by_group, by_pid, dead;
  by_group.facts.id = id;
  by_group.facts.name = "train";
  by_pid.facts.id = std::string(32, 'b');
  by_pid.facts.name = "notebook";
  by_pid.state.room_pid = 11;
  dead.facts.name = "dead";
  dead.state.monitor_pid = 10;
  by_group.is_alive = by_pid.is_alive = true;
  const std::vector<run::KnownRun> runs{by_group, by_pid, dead};
  gpu::HostView host;
  host.root = root.path();
  for (const auto& [pid, name] : std::vector<std::pair<pid_t, std::string>>{{20, "train"},
                                                                            {12, "notebook"},
                                                                            {11, "notebook"},
                                                                            {10, ""},
                                                                            {30, ""},
                                                                            {99, ""},
                                                                            {0, ""}}) {
    CAPTURE(pid);
    CHECK(find_run_of(host, pid, runs) == name);
  }
}

}  // namespace
}  // namespace slipway::plan
