#include <doctest/doctest.h>

#include <set>

#include "gpu/compatibility.h"
#include "gpu/gpu_names.h"

namespace slipway::gpu {
namespace {

TEST_CASE("code runs on its own major version, and Jetson modules stand alone") {
  struct Case {
    std::string_view code, device;
    bool sass, ptx;
  };
  const Case cases[] = {
      {"sm_86", "8.9", true, true},     {"sm_80", "8.9", true, true},
      {"sm_90", "9.0", true, true},     {"sm_90a", "9.0", true, true},
      {"sm_70", "7.5", true, true},     {"sm_90", "10.0", false, true},
      {"sm_89", "8.6", false, false},   {"sm_120", "12.1", true, true},
      {"sm_100", "10.3", true, true},   {"sm_100a", "10.3", false, false},
      {"sm_100f", "10.3", true, true},  {"sm_100f", "12.0", false, false},
      {"sm_90a", "10.0", false, false}, {"sm_86", "8.7", false, true},
      {"sm_87", "8.9", false, true},    {"sm_87", "8.7", true, true},
      {"sm_100", "11.0", false, true},  {"sm_50", "6.0", false, true},
  };
  for (const Case& one : cases) {
    const std::string name = fmt::format("{} on {}", one.code, one.device);
    CAPTURE(name);
    const CodeTarget code = parse_code_target(one.code).value();
    const ComputeCapability device = parse_compute_capability(one.device).value();
    CHECK(runs_sass(code, device) == one.sass);
    CHECK(runs_ptx(code, device) == one.ptx);
  }
  CHECK(parse_code_target("sm_100f").value().text() == "sm_100f");
  for (const std::string_view bad :
       {"", "9", "sm_", "sm_9", "x.y", "9.10", "9.0.0", "sm_90000", "-1.0", "sm_9o", "0.5", "90"})
    CHECK_FALSE(parse_compute_capability(bad).ok());
}

TEST_CASE("drivers: parts that are not said do not count against them") {
  const auto at = [](std::string_view text) { return parse_driver_version(text).value(); };
  CHECK(reaches(at("525"), at("525.60.13")));
  CHECK(reaches(at("525.60.13"), at("525.60.13")));
  CHECK_FALSE(reaches(at("525.53"), at("525.60.13")));
  CHECK_FALSE(reaches(at("470.82.01"), at("525.60.13")));
  CHECK(reaches(at("570.86.15"), at("570")));
  CHECK(at("470.42.01").text() == "470.42.01");
  CHECK(at("535.104.05").text() == "535.104.05");
  CHECK(compare(at("525"), at("525.60.13")) < 0);
  CHECK(compare(at("570.26"), at("570.86.15")) < 0);
  CHECK(lowest_driver(">=525").value() == at("525"));
  CHECK(lowest_driver("<600, >= 525.60.13").value() == at("525.60.13"));
  CHECK(lowest_driver("==570.*").value() == at("570"));
  CHECK(lowest_driver("535.104").value() == at("535.104"));
  for (const std::string_view bad : {"", ".", "525.", "a", "525.60.13.1", "123456", "-5", "5 2"})
    CHECK_FALSE(parse_driver_version(bad).ok());
  for (const std::string_view bad : {"", "<600", ">=", ">=x", ","})
    CHECK_FALSE(lowest_driver(bad).ok());
}

TEST_CASE("GPUs by all the names that they go by") {
  const CompatibilityTables& tables = compatibility_tables();
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"h100", "h100"},
      {"NVIDIA H100 80GB HBM3", "h100"},
      {"Tesla V100-SXM2-16GB", "v100"},
      {"rtx 4090", "rtx-4090"},
      {"NVIDIA GeForce RTX 4090 Laptop GPU", "rtx-4090"},
      {"GeForceRTX4090", "rtx-4090"},
      {"RTX-3080ti", "rtx-3080-ti"},
      {"A100-SXM4-40GB", "a100"},
      {"NVIDIA A10G", "a10"},
      {"Quadro RTX 6000", "quadro-rtx-6000"},
      {"NVIDIA RTX 6000 Ada Generation", "rtx-6000-ada"},
      {"NVIDIA RTX A6000", "rtx-a6000"},
      {"RTX PRO 6000 Blackwell Server Edition", "rtx-pro-6000-blackwell"},
      {"NVIDIA GH200 480GB", "gh200"},
      {"sm_90", "sm_90"},
      {"SM_120", "sm_120"},
      {"8.9", "sm_89"},
      {"Titan X", "titan-x-pascal"},
      {"Jetson AGX Orin", "jetson-orin"},
  };
  for (const auto& [text, name] : cases) {
    CAPTURE(std::string(text));
    const GpuModel* const model = find_gpu(tables, text);
    REQUIRE(model != nullptr);
    CHECK(model->name == name);
  }
  const Result<GpuModel> unknown = parse_gpu(tables, "h10O");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().hints[0].find("`h100`") != std::string::npos);
  CHECK(find_gpu(tables, "") == nullptr);
  CHECK(find_gpu(tables, "NVIDIA") == nullptr);
  CHECK(find_gpu(tables, "sm_91") == nullptr);
  CHECK(find_gpu(tables, std::string(1 << 20, 'x')) == nullptr);
}

TEST_CASE("the tables of the hardware hold together") {
  const CompatibilityTables& tables = compatibility_tables();
  std::set<std::string> names;
  for (const GpuModel& model : tables.gpus) {
    CAPTURE(model.name);
    CHECK(names.insert(model.name).second);
    for (const std::string& alias : model.aliases) CHECK(names.insert(alias).second);
    CHECK(find_gpu(tables, model.name) == &model);
  }
  CHECK(find_gpu(tables, "v100")->tensor_cores);
  CHECK_FALSE(find_gpu(tables, "p100")->tensor_cores);
  CHECK_FALSE(find_gpu(tables, "gtx-1660")->tensor_cores);
  CHECK(find_gpu(tables, "v100")->last_driver->text() == "580");
  for (std::size_t i = 1; i < tables.cuda_releases.size(); ++i)
    CHECK(compare(tables.cuda_releases[i - 1].driver, tables.cuda_releases[i].driver) < 0);
  // Every build that an index holds has its list of architectures.
  for (const TorchCuda& row : tables.torch_cudas) {
    for (const std::string& cuda : row.cuda) {
      CAPTURE(row.torch + " " + cuda);
      bool found = false;
      for (const TorchArch& arch : tables.torch_archs)
        found = found || (arch.torch == row.torch && arch.cuda == cuda && !arch.sass.empty());
      CHECK(found);
    }
  }
  for (const std::string_view bad :
       {"[[gpu]]\nname = \"x\"\nkind = \"geforce\"\ncompute_capability = \"9.9\"\nsource = \"s\"",
        "[[gpu]]\nname = \"x\"\nkind = \"geforce\"\ncompute_capability = \"9\"\nsource = \"s\"",
        "[[cuda_driver]]\ncuda = \"12\"\nmin_driver = \"new\"\nsource = \"s\"",
        "[[cuda_driver]]\ncuda = \"12\"\nmin_driver = \"525\"", "[[gpus]]\nsource = \"s\""})
    CHECK_FALSE(parse_compatibility(bad).ok());
}

}  // namespace
}  // namespace slipway::gpu
