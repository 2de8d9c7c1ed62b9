#include "gpu/gpu_choice.h"

#include <doctest/doctest.h>

namespace slipway::gpu {
namespace {

using Kind = GpuChoice::Kind;
using Words = std::vector<std::string>;

/// Two whole GPUs whose minors are not their indexes, and one in two parts.
HostGpus make_host() {
  HostGpus host;
  host.gpus = {
      {"A", "GPU-aa11", 3, 9, 0, 0}, {"B", "GPU-aa22", 1, 8, 0, 0}, {"C", "GPU-cc33", 0, 8, 0, 0}};
  host.gpus[2].mig_enabled = true;
  host.gpus[2].mig_devices = {{0, "MIG-p0", "C 1g", "1g", 7, 0, 0, 66, 67},
                              {4, "MIG-p4", "C 2g", "2g", 9, 0, 0, 84, 85}};
  host.device_nodes = {"/dev/nvidia-caps/nvidia-cap66",
                       "/dev/nvidia-caps/nvidia-cap67",
                       "/dev/nvidia-caps/nvidia-cap84",
                       "/dev/nvidia-caps/nvidia-cap85",
                       "/dev/nvidia-uvm",
                       "/dev/nvidia0",
                       "/dev/nvidia1",
                       "/dev/nvidia3",
                       "/dev/nvidiactl"};
  return host;
}

Words nodes_for(std::string_view text) {
  const Result<HostGpus> host = choose_gpus(make_host(), parse_gpu_choice(text).value());
  if (!host.ok()) return {host.error().message};
  Words names;
  for (const std::string& node : host->device_nodes) {
    if (node != "/dev/nvidia-uvm" && node != "/dev/nvidiactl") names.push_back(node.substr(5));
  }
  CHECK(host->device_nodes.size() == names.size() + 2);
  return names;
}

TEST_CASE("the words of --gpus") {
  CHECK(parse_gpu_choice("all")->kind == Kind::All);
  CHECK(parse_gpu_choice("none")->kind == Kind::None);
  CHECK(parse_gpu_choice("auto")->kind == Kind::Automatic);
  CHECK(parse_gpu_choice("4").value() == GpuChoice{Kind::Count, 4, {}});
  CHECK(parse_gpu_choice("0,2").value() == GpuChoice{Kind::Named, 0, {"0", "2"}});
  CHECK(parse_gpu_choice("device=0").value() == GpuChoice{Kind::Named, 0, {"0"}});
  CHECK(parse_gpu_choice("GPU-aa,MIG-x,1:0").value() ==
        GpuChoice{Kind::Named, 0, {"GPU-aa", "MIG-x", "1:0"}});
  for (const char* text : {"", "0", ",", "0,", "-1", "all,0", "1:", ":1", "1:x", "gpu-aa",
                           "99999999999", "device=", "device=all"}) {
    CAPTURE(text);
    CHECK(parse_gpu_choice(text).error().kind == ErrorKind::InvalidInput);
  }
}

TEST_CASE("nodes go by minor, and none but those that were chosen come along") {
  CHECK(nodes_for("device=0") == Words{"nvidia3"});
  CHECK(nodes_for("0,1") == Words{"nvidia1", "nvidia3"});
  CHECK(nodes_for("GPU-aa22") == Words{"nvidia1"});
  CHECK(nodes_for("GPU-aa2") == Words{"nvidia1"});
  CHECK(nodes_for("1") == Words{"nvidia3"});
  CHECK(nodes_for("3") == Words{"nvidia-caps/nvidia-cap66", "nvidia-caps/nvidia-cap67", "nvidia0",
                                "nvidia1", "nvidia3"});
  CHECK(nodes_for("all").size() == 7);
}

TEST_CASE("a part of a divided GPU") {
  const Words second{"nvidia-caps/nvidia-cap84", "nvidia-caps/nvidia-cap85", "nvidia0"};
  CHECK(nodes_for("MIG-p4") == second);
  CHECK(nodes_for("2:4") == second);
  // Both parts, by the name of the whole.
  CHECK(nodes_for("device=2").size() == 5);
  CHECK(nodes_for("GPU-cc33").size() == 5);
}

TEST_CASE("GPUs that are divided into nothing are none") {
  HostGpus host = make_host();
  host.gpus.erase(host.gpus.begin(), host.gpus.begin() + 2);
  host.gpus[0].mig_devices.clear();
  CHECK(choose_gpus(host, parse_gpu_choice("all").value()).error().message ==
        "no GPU of this host can be used");
}

TEST_CASE("what is not there is told with what is") {
  CHECK(nodes_for("5") == Words{"there are not 5 GPUs here"});
  CHECK(nodes_for("device=7") == Words{"there is no GPU `7`"});
  CHECK(nodes_for("2:1") == Words{"there is no GPU `2:1`"});
  CHECK(nodes_for("GPU-aa") == Words{"several GPUs begin with `GPU-aa`"});
  const auto error = choose_gpus(make_host(), parse_gpu_choice("5").value()).error();
  CHECK(error.hints.at(0) ==
        "this host has `0` (A, GPU-aa11), `1` (B, GPU-aa22), `2:0` (C 1g, MIG-p0), "
        "`2:4` (C 2g, MIG-p4)");
}

}  // namespace
}  // namespace slipway::gpu
