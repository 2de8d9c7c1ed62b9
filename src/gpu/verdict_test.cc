#include "gpu/verdict.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "gpu/environment_view.h"
#include "gpu/gpu_names.h"
#include "gpu/python_packages.h"
#include "gpu/testing/fat_writer.h"

namespace slipway::gpu {
namespace {

constexpr const char* kSite = "/opt/venv/lib/python3.11/site-packages/";

LibraryFile library(const std::string& path, const std::string& owner,
                    std::vector<CodeGroup> code) {
  LibraryFile file;
  file.path = kSite + path;
  file.facts.machine = kMachineX86_64;
  file.facts.is_64bit = true;
  file.facts.soname = path.substr(path.rfind('/') + 1);
  file.code.groups = std::move(code);
  file.owner = owner;
  for (CodeGroup& group : file.code.groups) group.bytes = 1 << 20;
  return file;
}

PythonPackage package(const std::string& name, const std::string& version) {
  return {name, version, kSite + name + "-" + version + ".dist-info", {}, ""};
}

/// torch 2.6.0 as the PyPI wheel has it, in small.
LayerLibraries torch26() {
  LayerLibraries layer;
  std::vector<CodeGroup> code;
  for (const char* sm : {"sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"})
    code.push_back(sass(sm));
  layer.elves = {
      library("nvidia/cublas/lib/libcublas.so.12", "nvidia-cublas-cu12 12.4.5.8", {sass("sm_90")}),
      library("nvidia/cuda_runtime/lib/libcudart.so.12", "nvidia-cuda-runtime-cu12 12.4.127", {}),
      library("nvidia/cudnn/lib/libcudnn.so.9", "nvidia-cudnn-cu12 9.1.0.70", {}),
      library("torch/lib/libtorch_cpu.so", "torch 2.6.0", {}),
      library("torch/lib/libtorch_cuda.so", "torch 2.6.0", code)};
  PythonPackage torch = package("torch", "2.6.0");
  torch.cuda = "12.4";
  torch.requirements = {"nvidia-cudnn-cu12==9.1.0.70 ; platform_system == \"Linux\"",
                        "nvidia-cublas-cu12 (==12.4.5.8)", "triton==3.2.0",
                        "nvidia-odd==1.0 ; extra == \"odd\""};
  layer.packages = {package("nvidia-cublas-cu12", "12.4.5.8"),
                    package("nvidia-cudnn-cu12", "9.1.0.70"), torch};
  return layer;
}

HostQuestion question(const std::vector<std::string>& gpus, const std::string& driver) {
  HostQuestion asked;
  for (const std::string& name : gpus)
    asked.gpus.push_back(parse_gpu(compatibility_tables(), name).value());
  if (!driver.empty()) asked.driver = parse_driver_version(driver).value();
  return asked;
}

std::vector<Finding> judged(const LayerLibraries& layer, const HostQuestion& asked) {
  return judge({{&layer, 1}, System::Outside}, asked, compatibility_tables());
}

/// The worst finding of that layer and subject.
const Finding* find(const std::vector<Finding>& findings, std::string_view layer,
                    std::string_view subject) {
  const Finding* worst = nullptr;
  for (const Finding& finding : findings) {
    if (finding.layer != layer || !finding.subject.starts_with(subject)) continue;
    if (worst == nullptr || finding.verdict > worst->verdict) worst = &finding;
  }
  return worst;
}

TEST_CASE("torch 2.6.0 from PyPI: where it runs, and where not") {
  struct Case {
    std::string gpu, driver;
    Verdict all, torch;
    std::string says;
  };
  const Case cases[] = {
      {"v100", "525.60.13", Verdict::Ok, Verdict::Ok, "native: it has sm_70"},
      {"h100", "550.54.15", Verdict::Ok, Verdict::Ok, "native: it has sm_90"},
      {"rtx-4090", "525", Verdict::Ok, Verdict::Ok, "sm_86 runs on 8.9"},
      {"sm_100", "570", Verdict::Broken, Verdict::Broken, "no kernel for compute capability 10.0"},
      {"rtx-5090", "580.65.06", Verdict::Broken, Verdict::Broken, "no kernel"},
      {"jetson-orin", "", Verdict::Broken, Verdict::Broken, "8.7"},
      {"k80", "470", Verdict::Broken, Verdict::Broken, "3.7"},
      {"v100", "470.82.01", Verdict::Broken, Verdict::Ok, "native"},
      {"v100", "590.44", Verdict::Broken, Verdict::Ok, "native"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.gpu);
    CAPTURE(one.driver);
    const auto findings = judged(torch26(), question({one.gpu}, one.driver));
    CHECK(overall(findings) == one.all);
    const Finding* const torch = find(findings, "gpu", "torch");
    REQUIRE(torch != nullptr);
    CHECK(torch->verdict == one.torch);
    CHECK(torch->reason.find(one.says) != std::string::npos);
    CHECK(torch->file == std::string(kSite) + "torch/lib/libtorch_cuda.so");
  }
  const auto blackwell = judged(torch26(), question({"b200"}, "570"));
  CHECK(find(blackwell, "gpu", "torch")->remedy == "use torch>=2.7 built for CUDA 12.8 (cu128)");
  CHECK(find(blackwell, "gpu", "nvidia-cublas")->verdict == Verdict::Slow);
  CHECK(find(blackwell, "cuda", "nvidia-cudnn")->verdict == Verdict::Slow);
  const auto old = judged(torch26(), question({"v100"}, "470.82.01"));
  CHECK(find(old, "driver", "driver")->remedy == "raise the driver to >=525.60.13");
}

TEST_CASE("torch for CUDA 13 needs branch 580, or its compat library on a data-centre GPU") {
  LayerLibraries layer = torch26();
  layer.elves[1] = library("nvidia/cu13/lib/libcudart.so.13", "nvidia-cuda-runtime 13.0.96", {});
  layer.packages.back().cuda = "13.0";
  const auto driver = [&](const std::vector<std::string>& gpus, const std::string& version) {
    return *find(judged(layer, question(gpus, version)), "driver", "driver");
  };
  CHECK(driver({"h100"}, "570.86.15").verdict == Verdict::Broken);
  CHECK(driver({"h100"}, "570.86.15").remedy == "raise the driver to >=580");
  CHECK(driver({"h100"}, "580.65.06").verdict == Verdict::Ok);
  LibraryFile compat = library("x", "", {});
  compat.path = "/usr/local/cuda/compat/libcuda.so.580.65.06";
  compat.facts.soname = "libcuda.so.1";
  layer.elves.push_back(compat);
  CHECK(driver({"h100"}, "570.86.15").verdict == Verdict::Ok);
  CHECK(driver({"rtx-4090"}, "570.86.15").verdict == Verdict::Broken);
  CHECK(driver({"rtx-4090"}, "570.86.15").reason.find("error 804") != std::string::npos);
  CHECK(driver({"sm_90"}, "570.86.15").verdict == Verdict::Unknown);
  CHECK(driver({"h100"}, "470.82.01").verdict == Verdict::Broken);
  layer.elves[1] = library("nvidia/cu14/lib/libcudart.so.14", "nvidia-cuda-runtime 14.0.1", {});
  CHECK(driver({"h100"}, "580").verdict == Verdict::Unknown);
}

TEST_CASE("known gaps are told, and are no reason to fail") {
  LayerLibraries layer = torch26();
  LibraryFile sox = library("torchaudio/lib/libtorchaudio_sox.so", "torchaudio 2.6.0", {});
  sox.facts.needed = {"libsox.so"};
  layer.elves.push_back(sox);
  const auto findings = judged(layer, question({"h100"}, "550"));
  const Finding* const found = find(findings, "system", "torchaudio");
  REQUIRE(found != nullptr);
  CHECK(found->verdict == Verdict::Ok);
  CHECK(found->reason.starts_with("goes without libsox.so: "));
  CHECK(overall(findings) == Verdict::Ok);
}

TEST_CASE("companions that declare nothing are held to the tables") {
  struct Case {
    const char *name, *version, *torch, *told;
  };
  for (const Case& c :
       {Case{"torchcodec", "0.2.1", "2.6.0", ""},
        Case{"torchcodec", "0.3.0", "2.6.0", "use torchcodec==0.2.*"},
        Case{"torchcodec", "0.17.0", "2.15.0", ""}, Case{"torchaudio", "2.11.0", "2.14.1", ""},
        Case{"torchaudio", "2.11.0", "2.6.0", "use torchaudio==2.6.0"},
        Case{"torchtext", "0.18.0", "2.6.0", "made for torch 2.3.0"},
        Case{"torchtext", "0.18.0", "2.3.1+cu121", ""}}) {
    CAPTURE(c.name);
    CAPTURE(c.torch);
    LayerLibraries layer;
    layer.packages = {package("torch", c.torch), package(c.name, c.version)};
    const auto findings = judged(layer, question({}, ""));
    const Finding* found = find(findings, "framework", c.name);
    const std::string told = found == nullptr ? "" : found->reason + " " + found->remedy;
    CHECK_MESSAGE((*c.told == 0 ? told.empty() : told.find(c.told) != std::string::npos), told);
  }
}

TEST_CASE("a cuda-compat of the host stands in for a driver by NVIDIA's rules") {
  LayerLibraries layer = torch26();
  layer.elves[1] = library("nvidia/cu13/lib/libcudart.so.13", "nvidia-cuda-runtime 13.0.96", {});
  layer.packages.back().cuda = "13.0";
  struct Case {
    const char *gpu, *driver, *compat;
    Verdict verdict;
    const char* reason;
  };
  for (const Case& c : {
           Case{"h100", "550.54.15", "13.0", Verdict::Ok, "cuda-compat 13.0 stands in for it"},
           Case{"h100", "580.65.06", "13.0", Verdict::Ok, "CUDA 13.0 runs"},
           Case{"h100", "550.54.15", "12.8", Verdict::Broken, "needs driver 580 or newer"},
           Case{"h100", "560.28.03", "13.0", Verdict::Broken, "535, 550, 565, 570 or 575 alone"},
           Case{"rtx-4090", "550.54.15", "13.0", Verdict::Broken, "GeForce (error 804)"},
           Case{"sm_90", "550.54.15", "13.0", Verdict::Unknown, "data-centre GPUs alone"},
           Case{"v100", "535.54.03", "13.2", Verdict::Broken, "no longer supports"},
           Case{"v100", "535.54.03", "13.0", Verdict::Ok, "stands in"},
       }) {
    CAPTURE(c.gpu);
    CAPTURE(c.driver);
    HostQuestion asked = question({c.gpu}, c.driver);
    asked.cuda_compat = c.compat;
    const Finding found = *find(judged(layer, asked), "driver", "driver");
    CHECK(found.verdict == c.verdict);
    CHECK_MESSAGE(found.reason.find(c.reason) != std::string::npos, found.reason);
  }
}

TEST_CASE("extensions: no kernel is broken, PTX is slow, PTX too new for the driver is broken") {
  LayerLibraries layer = torch26();
  layer.elves.push_back(library("ext/_C.so", "ext 1.0", {sass("sm_80"), ptx("sm_80", "8.4")}));
  const auto on = [&](const std::string& gpu, const std::string& driver) {
    return *find(judged(layer, question({gpu}, driver)), "gpu", "ext");
  };
  CHECK(on("a100", "525").verdict == Verdict::Ok);
  CHECK(on("v100", "550").verdict == Verdict::Broken);
  CHECK(on("h100", "").verdict == Verdict::Slow);
  CHECK(on("h100", "550.54.14").verdict == Verdict::Slow);
  CHECK(on("h100", "525.60.13").verdict == Verdict::Broken);
  CHECK(on("h100", "525.60.13").remedy == "raise the driver to >=550.54.14");
  HostQuestion compat = question({"h100"}, "535.54.03");
  CHECK(find(judged(layer, compat), "gpu", "ext")->verdict == Verdict::Broken);
  compat.cuda_compat = "12.6";
  CHECK(find(judged(layer, compat), "gpu", "ext")->verdict == Verdict::Slow);
  // The worst library of a package decides; of alternatives (bitsandbytes) the best.
  layer.elves.push_back(library("ext/_D.so", "ext 1.0", {sass("sm_70")}));
  CHECK(on("a100", "525").verdict == Verdict::Broken);
  layer.elves.push_back(
      library("bitsandbytes/libbitsandbytes_cuda118.so", "bitsandbytes 0.50", {sass("sm_70")}));
  layer.elves.push_back(
      library("bitsandbytes/libbitsandbytes_cuda124.so", "bitsandbytes 0.50", {sass("sm_80")}));
  CHECK(find(judged(layer, question({"a100"}, "")), "gpu", "bitsandbytes")->verdict == Verdict::Ok);
}

TEST_CASE("what cannot be read is unknown") {
  LayerLibraries layer = torch26();
  layer.elves[4].code = {};
  layer.elves[4].code.problem = "fat binary at offset 16: it lies";
  const auto findings = judged(layer, question({"h100"}, ""));
  CHECK(overall(findings) == Verdict::Unknown);
  CHECK(find(findings, "gpu", "torch")->reason.find("offset 16") != std::string::npos);
}

TEST_CASE("pairs: other versions than torch was built with, other companions, a CPU build") {
  LayerLibraries layer = torch26();
  layer.packages[1].version = "9.5.1.17";
  layer.packages.push_back(package("torchvision", "0.22.1"));
  auto findings = judged(layer, question({"h100"}, "550"));
  CHECK(find(findings, "cuda", "nvidia-cudnn")->verdict == Verdict::Slow);
  CHECK(find(findings, "cuda", "nvidia-cudnn")->remedy == "use nvidia-cudnn-cu12==9.1.0.70");
  CHECK(find(findings, "framework", "torchvision")->verdict == Verdict::Broken);
  CHECK(find(findings, "framework", "torchvision")->remedy == "use torchvision==0.21.0");
  layer.packages[1].version = "8.9.2.26";
  CHECK(find(judged(layer, question({"h100"}, "")), "cuda", "nvidia-cudnn")->verdict ==
        Verdict::Broken);

  LayerLibraries cpu = torch26();
  cpu.elves.erase(cpu.elves.begin() + 4);
  cpu.packages.back().cuda = "none";
  findings = judged(cpu, question({"h100"}, "550"));
  CHECK(find(findings, "framework", "torch")->verdict == Verdict::Slow);
}

TEST_CASE("symbol versions: what a found library does not define, and the host's glibc") {
  LayerLibraries layer = torch26();
  LibraryFile& cuda = layer.elves[4];
  cuda.facts.needed = {"libtorch_cpu.so"};
  cuda.facts.runpath = {"$ORIGIN"};
  cuda.facts.needed_versions = {{"libtorch_cpu.so", "TORCH_2", false},
                                {"libtorch_cpu.so", "TORCH_9", true},
                                {"libc.so.6", "GLIBC_2.28", false}};
  // A library without versions only makes the loader warn.
  CHECK(find(judged(layer, {}), "system", "torch") == nullptr);
  layer.elves[3].facts.defined_versions = {"TORCH_1"};
  const auto findings = judged(layer, {});
  REQUIRE(find(findings, "system", "torch") != nullptr);
  CHECK(find(findings, "system", "torch")->reason.find("TORCH_2 of libtorch_cpu.so") !=
        std::string::npos);
  CHECK(find(findings, "system", "torch")->reason.find("goes up to TORCH_1") != std::string::npos);
  layer.elves[3].facts.defined_versions = {"TORCH_1", "TORCH_2"};
  CHECK(find(judged(layer, {}), "system", "torch") == nullptr);

  HostQuestion asked;
  asked.glibc = "2.27";
  CHECK(find(judged(layer, asked), "system", "torch")->verdict == Verdict::Broken);
  asked.glibc = "2.28";
  CHECK(overall(judged(layer, asked)) == Verdict::Ok);
}

TEST_CASE("circles end: libraries that need each other, links and search paths that lead back") {
  LayerLibraries layer;
  LibraryFile a = library("a/liba.so", "a 1.0", {}), b = library("b/libb.so", "b 1.0", {});
  a.facts.needed = {"libb.so"};
  a.facts.rpath = {"$ORIGIN/../loop/x", "$ORIGIN/../b", "$ORIGIN", "$ORIGIN/../a/../a/."};
  b.facts.needed = {"liba.so", "libgone.so"};
  b.facts.runpath = {"$ORIGIN/../loop", "$ORIGIN/../a"};
  layer.elves = {a, b};
  layer.links = {{std::string(kSite) + "back", "loop"}, {std::string(kSite) + "loop", "back"}};
  const auto findings = judged(layer, {});
  CHECK(find(findings, "system", "a") == nullptr);
  REQUIRE(find(findings, "system", "b") != nullptr);
  CHECK(find(findings, "system", "b")->reason.find("libgone.so") != std::string::npos);
}

TEST_CASE("what packages say of themselves") {
  LayerLibraries layer;
  layer.elves = {library("torch/lib/libtorch.so", "", {}), library("odd/a b.so", "", {})};
  add_packages(
      {{std::string(kSite) + "torch-2.6.0.dist-info/METADATA",
        "Metadata-Version: 2.1\r\nName: Torch\r\nVersion: 2.6.0+cu124\r\n"
        "Requires-Dist: nvidia-nccl-cu12==2.21.5\r\nRequires-Dist: sympy\r\n\r\nName: no\n"},
       {std::string(kSite) + "torch-2.6.0.dist-info/RECORD",
        "torch/lib/libtorch.so,sha256=x,1\n\"odd/a b.so\",,\n../../../../bin/x.so,,\n"},
       {std::string(kSite) + "torch/version.py",
        "__all__ = []\ncuda: Optional[str] = '12.4'\nhip = None\n"}},
      layer);
  REQUIRE(layer.packages.size() == 1);
  CHECK(layer.packages[0].name == "torch");
  CHECK(layer.packages[0].version == "2.6.0+cu124");
  CHECK(layer.packages[0].cuda == "12.4");
  CHECK(layer.packages[0].requirements == std::vector<std::string>{"nvidia-nccl-cu12==2.21.5"});
  CHECK(layer.elves[0].owner == "torch 2.6.0+cu124");
  CHECK(layer.elves[1].owner == "torch 2.6.0+cu124");
  CHECK(parse_layer_libraries(write_layer_libraries(layer)).value() == layer);
}

TEST_CASE("dotted versions") {
  CHECK(compare_dotted("9.10.2", "9.7") > 0);
  CHECK(compare_dotted("12.4", "12.4.0") == 0);
  CHECK(compare_dotted("2.6.0+cu124", "2.6.0") == 0);
  CHECK(major_minor_of("12.4.127") == "12.4");
  CHECK(major_of("12") == "12");
}

}  // namespace
}  // namespace slipway::gpu
