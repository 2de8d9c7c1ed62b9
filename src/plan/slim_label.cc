#include "plan/slim_label.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace slipway::plan {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> names_of(const std::vector<gpu::ComputeCapability>& gpus) {
  std::vector<std::string> names;
  for (const gpu::ComputeCapability& one : gpus) names.push_back(one.sm());
  return names;
}

std::vector<std::string> words(const Json& json, const char* key) {
  std::vector<std::string> all;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return all;
  for (const Json& one : *found) {
    if (one.is_string()) all.push_back(one.get<std::string>());
  }
  return all;
}

}  // namespace

std::string write_slim_label(const SlimLabel& label) {
  return Json{{"from", label.from},
              {"gpus", names_of(label.gpus)},
              {"dropped", label.dropped},
              {"also_proprietary", label.also_proprietary}}
      .dump();
}

std::optional<SlimLabel> find_slim_label(const std::map<std::string, std::string>& labels) {
  const auto text = labels.find(kSlimLabel);
  if (text == labels.end()) return {};
  const Json json = Json::parse(text->second, nullptr, false);
  if (!json.is_object()) return {};
  SlimLabel label;
  for (const std::string& name : words(json, "gpus")) {
    const auto capability = gpu::parse_compute_capability(name);
    if (!capability.ok()) return {};
    label.gpus.push_back(*capability);
  }
  label.dropped = words(json, "dropped");
  const auto from = json.find("from"), proprietary = json.find("also_proprietary");
  if (from != json.end() && from->is_string()) label.from = from->get<std::string>();
  label.also_proprietary = proprietary != json.end() && *proprietary == true;
  return label;
}

std::vector<gpu::Finding> judge_slim_label(const SlimLabel& label,
                                           const std::vector<gpu::GpuModel>& gpus) {
  std::vector<gpu::Finding> findings;
  for (const gpu::GpuModel& gpu : gpus) {
    const bool is_for_it = std::ranges::any_of(label.gpus, [&](gpu::ComputeCapability one) {
      return gpu::runs_sass({one, gpu::CodeVariant::Portable}, gpu.capability);
    });
    if (is_for_it) continue;
    findings.push_back(
        {"gpu", "the image", "", gpu.name, gpu::Verdict::Broken,
         fmt::format("slimmed for {}: code for other GPUs was taken out",
                     fmt::join(names_of(label.gpus), ", ")),
         fmt::format("use the full image ({}), or slim it for this GPU too", label.from)});
  }
  return findings;
}

}  // namespace slipway::plan
