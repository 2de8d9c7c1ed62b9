#include <fmt/format.h>

#include "cli/all_commands.h"
#include "cli/project_image.h"
#include "cli/push_text.h"
#include "plan/push_image.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::StoredImage image = TRY(image_of(call, context, tools));
  const std::string target = call.operands.size() == 2 ? call.operands[1] : image.reference;
  const store::ImageName name = TRY(store::parse_image_name(target));
  const auto trust = call.has("insecure") ? registry::Trust::Insecure : registry::Trust::Checked;
  const plan::ImagePlace place = TRY(plan::find_place(name, trust, tools));
  std::optional<plan::Packing> packing;
  if (const auto word = call.find("compression")) packing = TRY(plan::parse_packing(*word));
  const plan::PushedImage pushed = TRY(plan::push_image(image, place, packing, tools));
  context.reporter.done(push_text(pushed));
  if (pushed.digest != image.digest) {
    context.reporter.note(
        fmt::format("with layers compressed anew it has a digest of its own; here it is {}",
                    image.digest.text()));
  }
  return 0;
}

}  // namespace

Command push_command() {
  return {"push",
          "send an image to a registry",
          Operand::UpToTwo,
          "IMAGE [NAME]",
          {{"--compression", "gzip|zstd|zstd:chunked|none", "of the layers; as they are otherwise"},
           {"--insecure", "", "the registry may speak http, or have any certificate"}},
          {{"slipway push", "in a project: its image, to the default registry"},
           {"slipway push --compression zstd:chunked train:1 registry.example/team/train:1",
            "under a name there; Podman and CRI-O then take only the files that they lack"}},
          run};
}

}  // namespace slipway::cli
