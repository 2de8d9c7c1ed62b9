#include <fmt/format.h>
#include <unistd.h>

#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/project_image.h"
#include "plan/export_image.h"
#include "plan/run_image.h"

namespace slipway::cli {
namespace {

Result<oci::LayerCompression> compression_of(const Invocation& call) {
  const std::string word = call.find("compression").value_or("none");
  if (word == "none") return oci::LayerCompression::None;
  if (word == "gzip") return oci::LayerCompression::Gzip;
  if (word == "zstd") return oci::LayerCompression::Zstd;
  return make_error(ErrorKind::InvalidInput, "`--compression {}` is not known", word)
      .hint("use `gzip`, `zstd` or `none`");
}

Result<int> run(const Invocation& call, Context& context) {
  const oci::LayerCompression compression = TRY(compression_of(call));
  const std::string path = call.find("output").value_or("-");
  if (path == "-" && ::isatty(1) != 0) {
    return make_error(ErrorKind::InvalidInput, "a tar would fill this terminal with noise")
        .hint("give `-o PATH`, or pipe the output into `tar -x`");
  }
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::StoredImage image = TRY(image_of(call, context, tools));
  TRY(act_as_root_for(image, tools));
  TRY(plan::export_image(image, compression, path, tools));
  if (path != "-") {
    context.reporter.done(fmt::format("exported `{}` to `{}`", image.reference, path));
  }
  return 0;
}

}  // namespace

Command export_command() {
  return {"export",
          "write an image's files as one tar, for tools that know no images",
          Operand::Optional,
          "IMAGE",
          {{"--compression", "gzip|zstd|none", "of the tar; none is the default"},
           {"-o,--output", "PATH", "a file; - is standard output, the default"}},
          {{"slipway export pytorch-cuda:2.6 | tar -x -C root", "a folder to chroot into"},
           {"slipway export --compression zstd -o root.tar.zst", "the project's image, packed"}},
          run};
}

}  // namespace slipway::cli
