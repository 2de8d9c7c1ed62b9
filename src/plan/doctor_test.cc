#include "plan/doctor.h"

#include <doctest/doctest.h>

#include "base/file.h"
#include "plan/doctor_report.h"
#include "plan/gpu_probe.h"

namespace slipway::plan {
namespace {

using gpu::HostFinding;
using gpu::HostFindings;
using gpu::Severity;

class Silent final : public Reporter {
 public:
  TaskId start(std::string_view, std::string_view, std::uint64_t) override { return {}; }
  void advance(TaskId, std::uint64_t) override {}
  void finish(TaskId) override {}
  void done(std::string_view) override {}
  void note(std::string_view) override {}
  void warn(std::string_view) override {}
};

TEST_CASE("what the end of a probe means") {
  struct Case {
    int status;
    std::string output;
    const char* finding;
    std::string message;
    bool has_gpu = true;
  };
  const auto said = [](const std::string& json) { return "noise\nslipway-probe " + json + "\n"; };
  const std::string torch = R"("torch":"2.6.0+cu124","cuda":"12.4")";
  const auto device = [&](const std::string& rest) {
    return said(R"({"stage":"gpu",)" + torch +
                R"(,"devices":[{"name":"NVIDIA H200","capability":"9.0",)" + rest + "}]}");
  };
  for (const Case& c : {
           Case{0, device(R"("equal":true,"error":null)"), "ok image-multiplies",
                "torch 2.6.0+cu124 in `x:1` multiplies on NVIDIA H200 as on the CPU"},
           Case{0, device(R"("equal":false,"error":null)"), "broken image-wrong-result",
                "a product on NVIDIA H200 differs from the CPU's"},
           Case{0, device(R"("equal":3)"), "broken image-wrong-result",
                "a product on NVIDIA H200 differs from the CPU's"},
           Case{0,
                device(R"("equal":false,"error":"CUDA error: no kernel image is available for)"
                       R"( execution on the device\nCUDA kernel errors might be")"),
                "broken image-no-kernel",
                "torch 2.6.0+cu124 in `x:1` has no code for NVIDIA H200 (compute capability 9.0)"},
           Case{0, device(R"("equal":false,"error":"CUDA error: out of memory\nmore")"),
                "broken image-gpu-fails",
                "torch 2.6.0+cu124 in `x:1` fails on NVIDIA H200: CUDA error: out of memory"},
           Case{0, said(R"({"stage":"gpu",)" + torch + R"(,"devices":[]})"), "broken image-no-gpu",
                "torch in `x:1` sees no GPU"},
           Case{0,
                said(R"({"stage":"init",)" + torch + R"(,"error":"The NVIDIA driver is too old"})"),
                "broken image-cuda-fails",
                "torch 2.6.0+cu124 in `x:1` cannot start CUDA: The NVIDIA driver is too old"},
           Case{0, said(R"({"stage":"cpu","torch":"2.6.0+cpu","cuda":null})"),
                "broken image-cpu-build", "torch 2.6.0+cpu in `x:1` is a build for CPUs only"},
           Case{0, said(R"({"stage":"import","error":"libcublas.so.12: cannot open\n"})"),
                "broken image-torch-fails",
                "torch in `x:1` fails without any GPU: libcublas.so.12: cannot open"},
           Case{0, said(R"({"stage":"no-torch","error":"No module named 'torch'"})"),
                "note image-no-torch", "`x:1` starts; it has no torch, so nothing was multiplied"},
           Case{0, said(R"({"stage":"init",)" + torch + "}"), "note image-gpu-skipped",
                "`x:1` starts and torch 2.6.0+cu124 multiplies on the CPU; not tried on a GPU: "
                "this machine has none",
                false},
           Case{127, "", "note image-no-python", "`x:1` has no Python: nothing was multiplied"},
           Case{142, "", "broken image-hangs",
                "the product in `x:1` was not done after five minutes"},
           Case{125, "", "broken image-fails", "`x:1` does not run: no container runtime"},
           Case{1, "slipway-probe [1]\n", "broken image-fails",
                "`x:1` does not run: no container runtime"},
           Case{1, "slipway-probe {\"stage\n", "broken image-fails",
                "`x:1` does not run: no container runtime"},
       }) {
    CAPTURE(c.output);
    const ProcessResult result{c.status, c.output, "noise\nerror: no container runtime\nhint: x\n"};
    const HostFindings findings =
        judge_probe(result, {"x:1", c.has_gpu ? "" : "this machine has none"});
    REQUIRE(findings.size() == 1);
    CHECK(fmt::format("{} {}", severity_name(findings[0].severity), findings[0].id) == c.finding);
    CHECK(findings[0].message == c.message);
    CHECK(findings[0].layer == "image");
  }
}

TEST_CASE("several GPUs: equal answers are told once, others each") {
  const auto answer = [](const std::string& second) {
    const std::string good = R"({"name":"A100","capability":"8.0","equal":true},)";
    return ProcessResult{
        0,
        R"(slipway-probe {"stage":"gpu","torch":"2.6.0","cuda":"12.4","devices":[)" + good + good +
            R"({"name":"A100","capability":"8.0","equal":)" + second + "}]}",
        ""};
  };
  CHECK(judge_probe(answer("true"), {"x:1", ""}).size() == 1);
  CHECK(judge_probe(answer("false"), {"x:1", ""}).size() == 2);
}

/// An examination of an empty host, which has no GPU and no runtime.
Result<Diagnosis> examine(uid_t uid, const std::optional<std::string>& image = {}) {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "doctor-test").value();
  Silent reporter;
  const Tools tools{reporter, {}, folder.path() + "/store", folder.path() + "/cache", {}, {}};
  REQUIRE(make_folders(folder.path() + "/root").ok());
  DoctorRequest request;
  request.host = {folder.path() + "/root", {uid, uid, {}, "somebody"}};
  request.unix_time = 1800000000;
  request.image = image;
  return examine_host(request, tools);
}

TEST_CASE("an examination of a host without anything") {
  const Diagnosis diagnosis = examine(1000).value();
  std::string ids;
  for (const HostFinding& finding : diagnosis.findings) {
    // The two folders are on the disk of the machine that runs this test: how full it is, is its
    // own.
    const bool is_full = finding.id == "store-full" || finding.id == "cache-full";
    ids += (is_full ? finding.id.substr(0, 5) : finding.id) + " ";
  }
  CHECK(ids ==
        "gpu-none runtime-missing uidmap-missing subids-missing overlay-missing cgroups-missing "
        "pasta-missing store cache memory-low ");
  CHECK(diagnosis.is_broken());
  CHECK_FALSE(diagnosis.has_gpu());
  CHECK(diagnosis.findings[1].remedy == "sudo apt-get install crun");
}

TEST_CASE("root is not told to use sudo") {
  const Diagnosis diagnosis = examine(0).value();
  for (const HostFinding& finding : diagnosis.findings) {
    CAPTURE(finding.remedy);
    CHECK(finding.remedy.find("sudo") == std::string::npos);
  }
  CHECK(diagnosis.findings[1].remedy == "apt-get install crun");
}

TEST_CASE("an image that is not there is a failure, not a finding") {
  const auto diagnosis = examine(1000, "nowhere:1");
  REQUIRE_FALSE(diagnosis.ok());
  CHECK(diagnosis.error().kind == ErrorKind::NotFound);
}

TEST_CASE("what a report must not tell") {
  const Secrets secrets{"/home/ada", "ada", "analytical-engine"};
  struct Case {
    const char* text;
    const char* clean;
  };
  for (const Case& c : {
           Case{"store /home/ada/.local/share", "store ~/.local/share"},
           Case{"/home/ada", "~"},
           Case{"/home/adam/x, /home/adam", "/home/user/x, /home/user"},
           Case{"user ada: adamant, ada.", "user user: adamant, ada."},
           Case{"group `ada`", "group `user`"},
           Case{"at analytical-engine now", "at host now"},
           Case{"https://ada:pa55@example.com/x@y", "https://***@example.com/x@y"},
           Case{"https://example.com/x token=abc&x=1", "https://example.com/x token=***&x=1"},
           Case{"Bearer abc.def next", "Bearer *** next"},
           Case{"", ""},
       }) {
    CHECK(without_secrets(c.text, secrets) == c.clean);
  }
  // Names that are words of every such text stay, and an unknown home harms nothing.
  CHECK(without_secrets("root runs nvidia-smi in /", {"/", "root", ""}) ==
        "root runs nvidia-smi in /");
}

TEST_CASE("a report has the facts and the findings") {
  Diagnosis diagnosis;
  gpu::GpuState one;
  one.gpu = {"NVIDIA H200", "GPU-5ec2e7", 0, 9, 0, 141ULL << 30};
  diagnosis.driver.gpus = {one};
  diagnosis.driver.pci = {{"0000:41:00.0", "10de:2335", "nvidia"}};
  diagnosis.machine.store = {"/home/ada/store", true, true, "ext4", 1000, 1};
  diagnosis.findings = {{"store", "system", Severity::Ok, "store /home/ada/store: fine", "", ""}};
  const std::string report = make_report(diagnosis, "0.1.0", {"/home/ada", "ada", "engine"});
  for (const char* part :
       {"slipway 0.1.0", "- ok store (system): store ~/store: fine", "NVIDIA H200, 9.0, minor 0",
        "PCI 0000:41:00.0: 10de:2335 bound to nvidia", "~/store: ext4, 1.0 kB free"}) {
    CAPTURE(report);
    CHECK(report.find(part) != std::string::npos);
  }
  for (const char* part : {"ada", "GPU-5ec2e7"}) CHECK(report.find(part) == std::string::npos);
}

}  // namespace
}  // namespace slipway::plan
