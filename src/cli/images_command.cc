#include <fmt/format.h>

#include "base/size_text.h"
#include "cli/all_commands.h"
#include "cli/image_json.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const std::vector<plan::StoredImage> images = TRY(plan::list_stored_images(tools));
  if (call.has("json")) {
    TRY(print(json_text(images)));
    return 0;
  }
  std::size_t width = 5;
  for (const plan::StoredImage& image : images) width = std::max(width, image.reference.size());
  std::string table =
      fmt::format("{:<{}}  {:<12}  {:>6}  {:>8}\n", "IMAGE", width, "DIGEST", "LAYERS", "SIZE");
  for (const plan::StoredImage& image : images) {
    table += fmt::format("{:<{}}  {:<12}  {:>6}  {:>8}\n", image.reference, width,
                         image.digest.hex().substr(0, 12), image.manifest.layers.size(),
                         size_text(image.size_bytes()));
  }
  TRY(print(table));
  return 0;
}

}  // namespace

Command images_command() {
  return {"images",
          "list the images in the store",
          Operand::None,
          "",
          {json_option()},
          {{"slipway images", "name, digest, layers and compressed size of each"},
           {"slipway images --json", "the same for scripts"}},
          run};
}

}  // namespace slipway::cli
