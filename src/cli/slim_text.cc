#include "cli/slim_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/size_text.h"
#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string name_of(const plan::SlimPackage& package) {
  return package.name.empty() ? "(of no package)" : plain_text(package.name);
}

bool is_asked(const plan::SlimRequest& request, std::string_view rule) {
  return std::ranges::any_of(request.rules, [&](const auto* one) { return one->name == rule; });
}

/// What it could give up and does not.
std::uint64_t left_bytes(const plan::SlimPackage& package, const plan::SlimRequest& request) {
  std::uint64_t bytes = package.holes.bytes;
  for (const auto& [rule, saving] : package.drops) {
    if (is_asked(request, rule)) bytes += saving.bytes;
  }
  return bytes - package.saved_bytes;
}

/// Of the layer, where it is this package's alone.
const plan::SlimLayer* layer_of(const plan::SlimPackage& package, const SlimAnswer& answer) {
  if (!answer.made) return nullptr;
  for (const plan::SlimLayer& layer : answer.made->layers) {
    if (layer.index != package.layer) continue;
    const auto packages = answer.image.layers()[layer.index].packages;
    return packages.size() == 1 ? &layer : nullptr;
  }
  return nullptr;
}

std::string change(std::uint64_t before, std::uint64_t after) {
  return fmt::format("{} -> {}", size_text(before), size_text(after));
}

std::string package_lines(const SlimAnswer& answer) {
  std::string text = fmt::format("{:32}{:24}{:24}{}\n", "PACKAGE", "UNPACKED", "COMPRESSED",
                                 "GPU CODE THAT STAYS");
  for (const plan::SlimPackage& package : answer.plan.packages) {
    if (package.saved_bytes == 0) continue;
    const plan::SlimLayer* const layer = layer_of(package, answer);
    const std::string code =
        package.code_bytes == 0
            ? "-"
            : fmt::format("{} of {}", size_text(package.code_bytes - package.holes.bytes),
                          size_text(package.code_bytes));
    text +=
        fmt::format("{:32}{:24}{:24}{}\n", cut_to(name_of(package), 31),
                    change(package.unpacked_bytes, package.unpacked_bytes - package.saved_bytes),
                    layer == nullptr ? "-" : change(layer->before_bytes, layer->after_bytes), code);
  }
  return text;
}

std::string kept_lines(const SlimAnswer& answer) {
  std::string text;
  for (const plan::SlimPackage& package : answer.plan.packages) {
    const std::uint64_t left = left_bytes(package, answer.request);
    if (left == 0 || package.kept_because.empty()) continue;
    text += fmt::format("  {:32}{:>8}  {}\n", cut_to(name_of(package), 31), size_text(left),
                        plain_text(package.kept_because));
  }
  if (text.empty()) return text;
  return "left as they are, with what they could give up (`--also-proprietary`):\n" + text;
}

struct RuleSaving {
  plan::Saving all, open;  ///< of all packages; of those that may be changed
};

std::map<std::string_view, RuleSaving> rule_savings(const SlimAnswer& answer) {
  std::map<std::string_view, RuleSaving> savings;
  for (const plan::DropRule& rule : plan::drop_rules()) savings[rule.name];
  for (const plan::SlimPackage& package : answer.plan.packages) {
    for (const auto& [rule, saving] : package.drops) {
      RuleSaving& sum = savings[rule];
      sum.all.files += saving.files;
      sum.all.bytes += saving.bytes;
      if (!package.kept_because.empty()) continue;
      sum.open.files += saving.files;
      sum.open.bytes += saving.bytes;
    }
  }
  return savings;
}

std::string rule_lines(const SlimAnswer& answer) {
  std::string text = "rules (`--drop`):\n";
  const auto savings = rule_savings(answer);
  for (const plan::DropRule& rule : plan::drop_rules()) {
    const plan::Saving& saving = savings.at(rule.name).open;
    text += fmt::format("  {:10}{:12}{:>8} in {} files; costs: {}\n", rule.name,
                        is_asked(answer.request, rule.name) ? "dropped" : "not asked",
                        size_text(saving.bytes), saving.files, rule.cost);
  }
  return text;
}

Json json_of(const plan::SlimPackage& package, const SlimAnswer& answer) {
  auto drops = Json::object();
  for (const auto& [rule, saving] : package.drops)
    drops[rule] = {{"files", saving.files}, {"bytes", saving.bytes}};
  const plan::SlimLayer* const layer = layer_of(package, answer);
  const bool is_changed = package.saved_bytes > 0;
  return {{"name", package.name.empty() ? Json() : Json(package.name)},
          {"licence", package.licence.empty() ? Json() : Json(package.licence)},
          {"changed", is_changed},
          {"kept_because",
           is_changed || package.kept_because.empty() ? Json() : Json(package.kept_because)},
          {"gpu_code_bytes", package.code_bytes},
          {"unused_gpu_code_bytes", package.holes.bytes},
          {"droppable", drops},
          {"unpacked_before", package.unpacked_bytes},
          {"unpacked_after",
           package.unpacked_bytes - std::min(package.unpacked_bytes, package.saved_bytes)},
          {"compressed_before", layer == nullptr ? Json() : Json(layer->before_bytes)},
          {"compressed_after", layer == nullptr ? Json() : Json(layer->after_bytes)}};
}

}  // namespace

std::string slim_table(const SlimAnswer& answer) {
  std::string text = package_lines(answer) + kept_lines(answer);
  const bool has_rules = !answer.request.rules.empty() || !answer.made;
  if (has_rules) text += rule_lines(answer);
  std::vector<std::string> notes = answer.plan.notes;
  if (answer.made) notes.insert(notes.end(), answer.made->notes.begin(), answer.made->notes.end());
  if (!notes.empty()) text += "left alone:\n";
  for (const std::string& note : notes) text += "  " + plain_text(note) + "\n";
  const std::uint64_t before = answer.plan.unpacked_bytes;
  text += fmt::format("unpacked    {}\n", change(before, before - answer.plan.saved_bytes));
  if (answer.made) {
    text += fmt::format("compressed  {}\n{}  {}\n",
                        change(answer.made->before_bytes, answer.made->after_bytes), answer.name,
                        answer.made->digest.text());
  }
  return text;
}

std::string slim_json(const SlimAnswer& answer) {
  auto gpus = Json::array(), rules = Json::array(), packages = Json::array(),
       layers = Json::array();
  for (const gpu::GpuModel& gpu : answer.request.host.gpus) gpus.push_back(gpu.name);
  for (const auto& [rule, saving] : rule_savings(answer)) {
    rules.push_back({{"name", rule},
                     {"dropped", is_asked(answer.request, rule)},
                     {"files", saving.open.files},
                     {"bytes", saving.open.bytes},
                     {"bytes_with_proprietary", saving.all.bytes}});
  }
  for (const plan::SlimPackage& package : answer.plan.packages)
    packages.push_back(json_of(package, answer));
  std::vector<std::string> notes = answer.plan.notes;
  if (answer.made) {
    notes.insert(notes.end(), answer.made->notes.begin(), answer.made->notes.end());
    for (const plan::SlimLayer& layer : answer.made->layers) {
      layers.push_back({{"index", layer.index},
                        {"packages", answer.image.layers()[layer.index].packages},
                        {"compressed_before", layer.before_bytes},
                        {"compressed_after", layer.after_bytes}});
    }
  }
  const std::uint64_t before = answer.plan.unpacked_bytes;
  const auto if_made = [&](auto value) { return answer.made ? Json(value(*answer.made)) : Json(); };
  const Json json{{"schema", 1},
                  {"from", answer.image.reference},
                  {"from_digest", answer.image.digest.text()},
                  {"image", if_made([&](const auto&) { return answer.name; })},
                  {"digest", if_made([](const auto& made) { return made.digest.text(); })},
                  {"gpus", gpus},
                  {"unpacked_before", before},
                  {"unpacked_after", before - answer.plan.saved_bytes},
                  {"compressed_before", answer.image.size_bytes()},
                  {"compressed_after", if_made([](const auto& made) { return made.after_bytes; })},
                  {"packages", packages},
                  {"layers", layers},
                  {"rules", rules},
                  {"notes", notes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string drop_rules_text() {
  std::string text;
  for (const plan::DropRule& rule : plan::drop_rules())
    text += fmt::format("{:10}{}\n{:10}costs: {}\n", rule.name, rule.what, "", rule.cost);
  return text;
}

}  // namespace slipway::cli
