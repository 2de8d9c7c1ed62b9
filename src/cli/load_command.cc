#include <fmt/format.h>
#include <unistd.h>

#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "plan/load_image.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  const std::string path = call.find("input").value_or("-");
  if (path == "-" && ::isatty(0) != 0) {
    return make_error(ErrorKind::InvalidInput, "there is no archive on this terminal")
        .hint("give `-i PATH`, or pipe the output of `docker save` into it");
  }
  std::optional<store::ImageName> name;
  if (const auto tag = call.find("tag")) name = TRY(store::parse_image_name(*tag));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::Incoming incoming = TRY(plan::read_archive(path, name, tools));
  const plan::ImageIds ids = TRY(plan::find_incoming_ids(incoming.images.front(), tools));
  TRY(act_as_root({ids.uid, ids.gid, {}, kOneIsEnough}, tools));
  TRY(plan::unpack_incoming(incoming, tools));
  for (const plan::IncomingImage& image : incoming.images) {
    for (const store::ImageName& one : image.names) {
      context.reporter.done(fmt::format("loaded `{}`: {} layers, {}", one.text(),
                                        image.manifest.layers.size(), image.digest.text()));
    }
  }
  return 0;
}

}  // namespace

Command load_command() {
  return {
      "load",
      "take images from an OCI layout or a Docker archive, of any tool",
      Operand::None,
      "",
      {{"-i,--input", "PATH", "a folder or a tar file; - is standard input, the default"},
       {"-t,--tag", "NAME[:TAG]", "what to call the image, in place of the archive's own names"}},
      {{"docker save mine:1 | slipway load", "an image of Docker's"},
       {"slipway load -i layout/ --tag mine:2", "an OCI layout, under a name of your own"}},
      run};
}

}  // namespace slipway::cli
