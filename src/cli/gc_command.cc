#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/age.h"
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

Result<plan::GarbageRequest> request_of(const Invocation& call) {
  plan::GarbageRequest request;
  if (call.has("dry-run")) request.options.effect = store::Effect::Count;
  if (call.has("all")) request.options.keep = store::Keep::Runs;
  request.images = call.all("image");
  request.keep = call.all("keep");
  if (const auto age = call.find("older-than"))
    request.options.unused_since = utc_now() - TRY(parse_age(*age));
  if (const auto size = call.find("keep-size")) {
    request.options.keep_bytes = TRY_WHILE("reading `--keep-size`", parse_size(*size));
  }
  const bool has_rule = call.has("older-than") || call.has("keep-size");
  if (call.has("all") && has_rule) {
    return make_error(ErrorKind::InvalidInput, "`--all` forgets every image, whatever its age");
  }
  if (call.has("keep") && !has_rule) {
    return make_error(ErrorKind::InvalidInput, "`--keep` is for `--older-than` and `--keep-size`")
        .hint("without them no image is forgotten that `--image` does not name");
  }
  return request;
}

std::string json_of(const plan::Collected& collected) {
  const store::Tally total = collected.swept.total();
  auto forgotten = nlohmann::ordered_json::array();
  for (const store::ImageName& name : collected.swept.forgotten) forgotten.push_back(name.text());
  const auto& left = collected.swept.left_bytes;
  const nlohmann::ordered_json answer{
      {"schema", 1},
      {"removed", total.count},
      {"bytes", total.disk_bytes},
      {"forgotten", forgotten},
      {"left_bytes", left ? nlohmann::ordered_json(*left) : nlohmann::ordered_json()},
      {"held", json_of(collected.held)}};
  return answer.dump(2) + "\n";
}

void say(const plan::Collected& collected, const store::GarbageOptions& options,
         Reporter& reporter) {
  const store::Swept& swept = collected.swept;
  const bool is_count = options.effect == store::Effect::Count;
  for (const store::ImageName& name : swept.forgotten) {
    reporter.note(
        fmt::format("`{}` {}", name.text(), is_count ? "would be forgotten" : "is forgotten"));
  }
  for (const plan::HeldImage& image : collected.held) say_held(image, reporter);
  if (swept.left_bytes && *swept.left_bytes > *options.keep_bytes) {
    reporter.warn(fmt::format("the store still takes {}: what is left is held by runs or kept",
                              memory_text(*swept.left_bytes)));
  }
  reporter.done(fmt::format("{} {} things, {}", is_count ? "would remove" : "removed",
                            swept.total().count, size_text(swept.total().disk_bytes)));
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::GarbageRequest request = TRY(request_of(call));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  TRY(act_as_root({0, 0, {}, kOneIsEnough}, tools));
  const plan::Collected collected = TRY(plan::collect_garbage(request, tools));
  if (call.has("json")) {
    TRY(print(json_of(collected)));
    return 0;
  }
  say(collected, request.options, context.reporter);
  return 0;
}

}  // namespace

Command gc_command() {
  return {
      "gc",
      "remove from the store what no image needs",
      Operand::None,
      "",
      {{"--image", "NAME", "forget this image first (repeatable); runs that hold it are named"},
       {"--all", "", "forget every image; what runs use stays"},
       {"--older-than", "AGE", "forget images that were not used for so long: 12h, 30d, 2w"},
       {"--keep-size", "SIZE", "forget the longest unused until the store takes at most this: 50g"},
       {"--keep", "IMAGE", "but not this one (repeatable); what runs use stays anyway"},
       {"--dry-run", "", "only say what would go"},
       json_option()},
      {{"slipway gc --image pytorch-cuda:2.5", "forget an image and free what only it used"},
       {"slipway gc --older-than 30d --keep-size 50g", "for a timer: old images, then the oldest"}},
      run};
}

}  // namespace slipway::cli
