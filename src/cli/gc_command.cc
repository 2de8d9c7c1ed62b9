#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "plan/collect_garbage.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  plan::GarbageRequest request;
  if (call.has("dry-run")) request.options.effect = store::Effect::Count;
  if (call.has("all")) request.options.keep = store::Keep::Runs;
  request.images = call.all("image");
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  TRY(act_as_root({0, 0, {}, kOneIsEnough}, tools));
  const store::Tally total = TRY(plan::collect_garbage(request, tools)).total();
  if (call.has("json")) {
    const nlohmann::ordered_json answer{
        {"schema", 1}, {"removed", total.count}, {"bytes", total.disk_bytes}};
    TRY(print(answer.dump(2) + "\n"));
    return 0;
  }
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
          {{"--image", "NAME", "forget this image first (repeatable)"},
           {"--all", "", "forget every image; what runs use stays"},
           {"--dry-run", "", "only count"},
           json_option()},
          {{"slipway gc", "free what older builds left behind"},
           {"slipway gc --image pytorch-cuda:2.5", "forget an image and free what only it used"}},
          run};
}

}  // namespace slipway::cli
