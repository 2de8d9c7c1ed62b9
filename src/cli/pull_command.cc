#include <fmt/format.h>

#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "plan/pull_image.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const auto reference = TRY(store::parse_image_reference(call.operands[0]));
  const auto trust = call.has("insecure") ? registry::Trust::Insecure : registry::Trust::Checked;
  const plan::ImagePlace place = TRY(plan::find_place(reference.name, trust, tools));
  const plan::Incoming incoming = TRY(plan::fetch_image(place, reference.digest, tools));
  const plan::IncomingImage& image = incoming.images.front();
  const plan::ImageIds ids = TRY(plan::find_incoming_ids(image, tools));
  TRY(act_as_root({ids.uid, ids.gid, {}, kOneIsEnough}, tools));
  TRY(plan::unpack_incoming(incoming, tools));
  std::string text = fmt::format("pulled `{}`: {} of {} layers fetched, {}; {}", image.shown(),
                                 incoming.fetched_layers, image.manifest.layers.size(),
                                 size_text(incoming.fetched_bytes), image.digest.text());
  if (incoming.signatures > 0) {
    text += fmt::format("; signatures: {}, which `slipway verify` checks", incoming.signatures);
  }
  context.reporter.done(text);
  return 0;
}

}  // namespace

Command pull_command() {
  return {"pull",
          "take an image from a registry",
          Operand::Required,
          "IMAGE",
          {{"--insecure", "", "the registry may speak http, or have any certificate"}},
          {{"slipway pull registry.example/team/train:1", "by its tag"},
           {"slipway pull localhost:5000/train@sha256:…", "exactly those bytes"}},
          run};
}

}  // namespace slipway::cli
