#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/slim_text.h"
#include "cli/words.h"
#include "plan/id_records.h"
#include "plan/image_files.h"

namespace slipway::cli {
namespace {

Result<plan::SlimRequest> request_of(const Invocation& call) {
  plan::SlimRequest request;
  const std::vector<std::string> gpus = split_commas(call.all("gpu"));
  if (gpus.empty()) {
    return make_error(ErrorKind::InvalidInput, "for which GPUs is the image to be?")
        .hint("`--gpu h100`, or several: `--gpu h100,a100`");
  }
  request.host = TRY(plan::make_question({"", gpus, "", "", ""}));
  for (const std::string& name : split_commas(call.all("drop"))) {
    const plan::DropRule* const rule = TRY(plan::find_drop_rule(name));
    if (std::ranges::find(request.rules, rule) == request.rules.end())
      request.rules.push_back(rule);
  }
  if (call.has("also-proprietary")) request.proprietary = plan::Proprietary::Slim;
  return request;
}

/// `pytorch-cuda:2.6-h100`.
Result<store::ImageName> name_of(const Invocation& call, const plan::StoredImage& image,
                                 const plan::SlimRequest& request) {
  if (const auto tag = call.find("tag")) return store::parse_image_name(*tag);
  std::set<std::string> gpus;
  for (const gpu::GpuModel& gpu : request.host.gpus) gpus.insert(gpu.name);
  std::string text = image.reference;
  for (std::string gpu : gpus) {
    std::ranges::replace(gpu, ' ', '-');
    text += "-" + gpu;
  }
  return store::parse_image_name(text);
}

Result<plan::ImageIds> ids_of(const plan::StoredImage& image, const plan::Tools& tools) {
  if (const auto ids = plan::find_numeric_ids(image.config.user)) return *ids;
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const plan::ImageFiles files(image, store);
  return plan::find_ids(image.config.user, files.text("/etc/passwd"), files.text("/etc/group"),
                        image.reference);
}

Result<int> run(const Invocation& call, Context& context) {
  if (call.has("list-rules")) {
    TRY(print(drop_rules_text()));
    return 0;
  }
  if (call.operands.empty())
    return make_error(ErrorKind::InvalidInput, "which image is to be slimmed?")
        .hint("`slipway images` lists them");
  const plan::SlimRequest request = TRY(request_of(call));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::StoredImage image = TRY(plan::find_stored_image(call.operands[0], tools));
  const store::ImageName name = TRY(name_of(call, image, request));
  if (name.text() == image.reference)
    return make_error(ErrorKind::InvalidInput, "`{}` is the name of the full image", name.text())
        .hint("give the slim one another: `--tag NAME:TAG`");
  const plan::SlimPlan plan = TRY(plan::plan_slim(image, request, tools));
  SlimAnswer answer{image, request, plan, name.text()};
  if (!call.has("dry-run")) {
    TRY(plan::fetch_for_slim(image, plan, tools));
    const plan::ImageIds ids = TRY(ids_of(image, tools));
    TRY(act_as_root({ids.uid, ids.gid, {}, kOneIsEnough}, tools));
    answer.made = TRY(plan::make_slim_image(image, request, plan, name, tools));
  }
  TRY(print(call.has("json") ? slim_json(answer) : slim_table(answer)));
  return 0;
}

}  // namespace

Command slim_command() {
  return {"slim",
          "a second image with the GPU code of the named GPUs alone",
          Operand::Optional,
          "IMAGE",
          {{"--gpu", "NAME", "a GPU it is for, like h100, `rtx 4090` or sm_90 (repeatable)"},
           {"-t,--tag", "NAME[:TAG]", "what to call it; without: the image's name and the GPUs'"},
           {"--drop", "RULE", "leave out what inference does not need, by rule (repeatable)"},
           {"--also-proprietary", "",
            "packages too whose licence is not known to allow changes, like NVIDIA's"},
           {"--dry-run", "", "only tell what would be saved, and by which rule"},
           {"--list-rules", "", "the rules of --drop, and what each costs"},
           json_option()},
          {{"slipway slim pytorch-cuda:2.6 --gpu h100", "makes pytorch-cuda:2.6-h100"},
           {"slipway slim pytorch-cuda:2.6 --gpu h100,a100 --drop tests,static --dry-run",
            "what it would save"}},
          run};
}

}  // namespace slipway::cli
