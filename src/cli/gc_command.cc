#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "plan/collect_garbage.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kMostNamed = 3;

void say_held(const plan::HeldImage& image, Reporter& reporter) {
  const std::vector<std::string>& runs = image.runs;
  const bool is_few = runs.size() <= kMostNamed;
  const std::vector<std::string> shown(runs.begin(),
                                       runs.begin() + std::min(runs.size(), kMostNamed));
  std::string named = fmt::format("`{}`", fmt::join(shown, "`, `"));
  if (!is_few) named += fmt::format(" and {} more", runs.size() - kMostNamed);
  const std::string remedy =
      !is_few
          ? "rm --ended"
          : fmt::format("rm {}{}", image.has_living_runs ? "--force " : "", fmt::join(runs, " "));
  reporter.note(
      fmt::format("`{}` ({}) stays: the {} {} {} it; `slipway {}` lets go of {}", image.reference,
                  image.digest.hex().substr(0, 12), runs.size() == 1 ? "run" : "runs", named,
                  runs.size() == 1 ? "holds" : "hold", remedy, is_few ? "it" : "what has ended"));
}

nlohmann::ordered_json json_of(const std::vector<plan::HeldImage>& held) {
  auto list = nlohmann::ordered_json::array();
  for (const plan::HeldImage& image : held) {
    list.push_back(
        {{"image", image.reference}, {"digest", image.digest.text()}, {"runs", image.runs}});
  }
  return list;
}

Result<int> run(const Invocation& call, Context& context) {
  plan::GarbageRequest request;
  if (call.has("dry-run")) request.options.effect = store::Effect::Count;
  if (call.has("all")) request.options.keep = store::Keep::Runs;
  request.images = call.all("image");
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  TRY(act_as_root({0, 0, {}, kOneIsEnough}, tools));
  const plan::Collected collected = TRY(plan::collect_garbage(request, tools));
  const store::Tally total = collected.swept.total();
  if (call.has("json")) {
    const nlohmann::ordered_json answer{{"schema", 1},
                                        {"removed", total.count},
                                        {"bytes", total.disk_bytes},
                                        {"held", json_of(collected.held)}};
    TRY(print(answer.dump(2) + "\n"));
    return 0;
  }
  for (const plan::HeldImage& image : collected.held) say_held(image, context.reporter);
  context.reporter.done(fmt::format("{} {} things, {}",
                                    call.has("dry-run") ? "would remove" : "removed", total.count,
                                    size_text(total.disk_bytes)));
  return 0;
}

}  // namespace

Command gc_command() {
  return {"gc",
          "remove from the store what no image needs",
          Operand::None,
          "",
          {{"--image", "NAME", "forget this image first (repeatable); runs that hold it are named"},
           {"--all", "", "forget every image; what runs use stays"},
           {"--dry-run", "", "only count"},
           json_option()},
          {{"slipway gc", "free what older builds left behind"},
           {"slipway gc --image pytorch-cuda:2.5", "forget an image and free what only it used"}},
          run};
}

}  // namespace slipway::cli
