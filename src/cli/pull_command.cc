#include <fmt/format.h>

#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "plan/lazy_pull.h"
#include "plan/pull_image.h"

namespace slipway::cli {
namespace {

std::string fetched_text(std::size_t fetched, const plan::IncomingImage& image,
                         std::uint64_t bytes) {
  return fmt::format("{} of {} layers fetched, {}; {}", fetched, image.manifest.layers.size(),
                     size_text(bytes), image.digest.text());
}

std::string signatures_text(std::size_t signatures) {
  if (signatures == 0) return "";
  return fmt::format("; signatures: {}, which `slipway verify` checks", signatures);
}

/// What has come is unpacked and named.
Result<int> finish(const plan::Incoming& incoming, plan::Tools& tools) {
  const plan::IncomingImage& image = incoming.images.front();
  const plan::ImageIds ids = TRY(plan::find_incoming_ids(image, tools));
  TRY(act_as_root({ids.uid, ids.gid, {}, kOneIsEnough}, tools));
  TRY(plan::unpack_incoming(incoming, tools));
  tools.reporter.done(
      fmt::format("pulled `{}`: {}{}", image.shown(),
                  fetched_text(incoming.fetched_layers, image, incoming.fetched_bytes),
                  signatures_text(incoming.signatures)));
  return 0;
}

Result<int> run_lazily(const plan::ImagePlace& place, registry::Trust trust,
                       const std::optional<Digest>& digest, plan::Tools& tools) {
  const plan::LazyIncoming lazy = TRY(plan::pull_lazily(place, trust, digest, tools));
  if (lazy.lazy_layers == 0) return finish(lazy.incoming, tools);
  const plan::IncomingImage& image = lazy.incoming.images.front();
  tools.reporter.done(fmt::format(
      "`{}` can be run now; {} of its {} layers, {}, come meanwhile; {}{}", image.shown(),
      lazy.lazy_layers, image.manifest.layers.size(), size_text(lazy.lazy_bytes),
      image.digest.text(), signatures_text(lazy.incoming.signatures)));
  return 0;
}

/// Why it is pulled as a whole all the same.
void tell_obstacle(const Error& error, Reporter& reporter) {
  std::string line = "all of the image is pulled before it can run: " + error.message;
  for (const std::string& hint : error.hints) line += " (" + hint + ")";
  reporter.warn(line);
}

Result<int> run(const Invocation& call, Context& context) {
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const auto reference = TRY(store::parse_image_reference(call.operands[0]));
  const auto trust = call.has("insecure") ? registry::Trust::Insecure : registry::Trust::Checked;
  if (call.has("lazy") && call.has("keep-blobs")) {
    return make_error(ErrorKind::InvalidInput, "`--lazy` and `--keep-blobs` exclude each other")
        .hint("once a lazy pull is whole, `save` and `push` fetch the large layers again");
  }
  const plan::ImagePlace place = TRY(plan::find_place(reference.name, trust, tools));
  if (call.has("lazy")) {
    const auto obstacle = plan::find_lazy_obstacle();
    if (!obstacle) return run_lazily(place, trust, reference.digest, tools);
    tell_obstacle(*obstacle, tools.reporter);
  }
  const auto large = call.has("keep-blobs") ? plan::LargeBlobs::Kept : plan::LargeBlobs::Dropped;
  const plan::Incoming incoming = TRY(plan::fetch_image(place, reference.digest, large, tools));
  return finish(incoming, tools);
}

}  // namespace

Command pull_command() {
  return {"pull",
          "take an image from a registry",
          Operand::Required,
          "IMAGE",
          {{"--insecure", "", "the registry may speak http, or have any certificate"},
           {"--keep-blobs", "",
            "large layers also as they came, so that `push` and `save` need no network"},
           {"--lazy", "", "it can be run at once, and comes while it is used"}},
          {{"slipway pull --lazy registry.example/team/train:1", "by its tag, to be run at once"},
           {"slipway pull localhost:5000/train@sha256:…", "exactly those bytes"}},
          run};
}

}  // namespace slipway::cli
