#include "gpu/cdi_files.h"

#include <doctest/doctest.h>

#include "gpu/testing/fake_host.h"

namespace slipway::gpu {
namespace {

constexpr const char* kYaml = R"(cdiVersion: 0.5.0
kind: nvidia.com/gpu
devices:
  - name: "0"
    containerEdits:
      deviceNodes:
        - path: /dev/nvidia0
          hostPath: "/dev/nvidia0"
containerEdits:
  hooks:
    - hookName: createContainer
      path: /usr/bin/nvidia-cdi-hook
      args: [nvidia-cdi-hook, create-symlinks]
  mounts:
    - hostPath: /usr/lib64/libcuda.so.550.54.14
      containerPath: /usr/lib64/libcuda.so.550.54.14
      # a path in words, xpath: /no, mypath: /neither
)";

TEST_CASE("the paths of CDI files, in YAML and in JSON") {
  CHECK(parse_cdi_paths(kYaml) == std::vector<std::string>{"/dev/nvidia0",
                                                           "/usr/bin/nvidia-cdi-hook",
                                                           "/usr/lib64/libcuda.so.550.54.14"});
  CHECK(parse_cdi_paths(R"({"path":"/dev/a","hostPath" : "/b c","containerPath":"/no"})") ==
        std::vector<std::string>{"/b c", "/dev/a"});
  for (const char* text :
       {"", "path", "path:", "path: relative", "hostPath: ''", "path: {", "path\n:"})
    CHECK(parse_cdi_paths(text).empty());
}

TEST_CASE("a CDI file of a driver that is gone") {
  FakeHost host;
  host.file("/etc/cdi/nvidia.yaml", kYaml);
  host.file("/etc/cdi/other.yaml", "kind: example.com/net\npath: /nowhere\n");
  host.file("/etc/cdi/notes.txt", "nvidia path: /nowhere\n");
  HostFindings findings = judge_cdi_files(host.view(), "570.86.15");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].id == "cdi-stale");
  CHECK(findings[0].severity == Severity::Warning);
  CHECK(findings[0].message ==
        "/etc/cdi/nvidia.yaml names 3 files that are gone, like /dev/nvidia0");
  CHECK(findings[0].remedy == "sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml");

  host.node("/dev/nvidia0");
  host.file("/usr/bin/nvidia-cdi-hook", "");
  findings = judge_cdi_files(host.view(), "570.86.15");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].message ==
        "/etc/cdi/nvidia.yaml names /usr/lib64/libcuda.so.550.54.14, which is gone");

  host.file("/usr/lib64/libcuda.so.550.54.14", "");
  findings = judge_cdi_files(host.view(), "570.86.15");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].message ==
        "/etc/cdi/nvidia.yaml was made for driver 550.54.14; this host runs 570.86.15");
  CHECK(judge_cdi_files(host.view(), "550.54.14").empty());
}

}  // namespace
}  // namespace slipway::gpu
