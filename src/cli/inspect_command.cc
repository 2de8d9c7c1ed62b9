#include <fmt/format.h>

#include "base/size_text.h"
#include "cli/all_commands.h"
#include "cli/image_json.h"
#include "cli/project_image.h"

namespace slipway::cli {
namespace {

std::string page_of(const plan::StoredImage& image) {
  std::string page = fmt::format("{}  {}\n", image.reference, image.digest.text());
  page += fmt::format("  user         {}\n", image.config.user);
  page += fmt::format("  folder       {}\n", image.config.working_folder);
  page += fmt::format("  entrypoint   {}\n", fmt::join(image.config.entrypoint, " "));
  page += fmt::format("  command      {}\n", fmt::join(image.config.cmd, " "));
  for (const std::string& variable : image.config.env) {
    page += fmt::format("  environment  {}\n", variable);
  }
  for (const auto& [name, value] : image.config.labels) {
    page += fmt::format("  label        {}={}\n", name, value);
  }
  page += fmt::format("  layers       {}, {} compressed\n", image.manifest.layers.size(),
                      size_text(image.size_bytes()));
  for (const plan::ImageLayer& layer : image.layers()) {
    page += fmt::format("    {}  {:>7}  {}\n", layer.digest.hex().substr(0, 12),
                        size_text(layer.size_bytes), fmt::join(layer.packages, ", "));
  }
  return page;
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::StoredImage image = TRY(image_of(call, context, tools));
  TRY(print(call.has("json") ? json_text(image) : page_of(image)));
  return 0;
}

}  // namespace

Command inspect_command() {
  return {"inspect",
          "show what an image is made of",
          Operand::Optional,
          "IMAGE",
          {json_option()},
          {{"slipway inspect", "the image of the project here"},
           {"slipway inspect pytorch-cuda:2.6 --json", "any image in the store, for scripts"}},
          run};
}

}  // namespace slipway::cli
