#include "plan/slim_label.h"

#include <doctest/doctest.h>

#include "gpu/gpu_names.h"

namespace slipway::plan {
namespace {

std::vector<gpu::GpuModel> models(const std::vector<std::string>& names) {
  std::vector<gpu::GpuModel> all;
  for (const std::string& name : names)
    all.push_back(gpu::parse_gpu(gpu::compatibility_tables(), name).value());
  return all;
}

TEST_CASE("the label says the same to whoever reads it") {
  const SlimLabel label{"sha256:0123", {{8, 0}, {9, 0}}, {"headers", "tests"}, true};
  const std::string text = write_slim_label(label);
  CHECK(text == R"({"from":"sha256:0123","gpus":["sm_80","sm_90"],"dropped":["headers","tests"],)"
                R"("also_proprietary":true})");
  CHECK(find_slim_label({{kSlimLabel, text}}) == label);
  CHECK_FALSE(find_slim_label({{"other", text}}));
  for (const char* bad : {"", "{", "[]", "1", R"({"gpus":["h100"]})"}) {
    CAPTURE(bad);
    CHECK_FALSE(find_slim_label({{kSlimLabel, bad}}));
  }
}

TEST_CASE("a slim image is for its GPUs, and for those that run all of their code") {
  const SlimLabel label{"sha256:0123", {{8, 0}}, {}, false};
  CHECK(judge_slim_label(label, models({"a100", "rtx 3090", "rtx 4090"})).empty());
  const auto findings = judge_slim_label(label, models({"v100", "h100", "a100"}));
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].gpu == "v100");
  CHECK(findings[1].gpu == "h100");
  CHECK(findings[1].verdict == gpu::Verdict::Broken);
  CHECK(findings[1].reason == "slimmed for sm_80: code for other GPUs was taken out");
}

}  // namespace
}  // namespace slipway::plan
