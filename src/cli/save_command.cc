#include <fmt/format.h>
#include <unistd.h>

#include "cli/all_commands.h"
#include "cli/project_image.h"
#include "plan/save_image.h"

namespace slipway::cli {
namespace {

Result<plan::SaveFormat> format_of(const Invocation& call) {
  const std::string format = call.find("format").value_or("oci");
  if (format == "oci") return plan::SaveFormat::OciLayout;
  if (format == "docker") return plan::SaveFormat::DockerArchive;
  return make_error(ErrorKind::InvalidInput, "`--format {}` is not a format", format)
      .hint("use `oci` or `docker`");
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::SaveFormat format = TRY(format_of(call));
  std::optional<plan::Packing> packing;
  if (const auto word = call.find("compression")) packing = TRY(plan::parse_packing(*word));
  const std::string path = call.find("output").value_or("-");
  if (path == "-" && ::isatty(1) != 0) {
    return make_error(ErrorKind::InvalidInput, "an image would fill this terminal with noise")
        .hint("give `-o PATH`, or pipe the output into `docker load`");
  }
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::StoredImage image = TRY(image_of(call, context, tools));
  TRY(plan::save_image(image, format, packing, path, tools));
  if (path != "-") context.reporter.done(fmt::format("saved `{}` to `{}`", image.reference, path));
  return 0;
}

}  // namespace

Command save_command() {
  return {"save",
          "write an image as an OCI layout or a Docker archive",
          Operand::Optional,
          "IMAGE",
          {{"--format", "FORMAT", "oci (the default) or docker"},
           {"--compression", "gzip|zstd|zstd:chunked|none", "of the layers; as they are otherwise"},
           {"-o,--output", "PATH", "a folder (ends in `/`, or is one) or a tar file; - is stdout"}},
          {{"slipway save --format docker | docker load", "hand the project's image to Docker"},
           {"slipway save pytorch-cuda:2.6 -o image/", "an OCI layout for skopeo or umoci"}},
          run};
}

}  // namespace slipway::cli
