#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/all_commands.h"
#include "cli/image_operand.h"
#include "cli/project_image.h"
#include "plan/image_sbom.h"
#include "plan/project_folder.h"

namespace slipway::cli {
namespace {

enum class Format { Spdx, CycloneDx };

Result<Format> format_of(const Invocation& call) {
  const std::string format = call.find("format").value_or("spdx");
  if (format == "spdx") return Format::Spdx;
  if (format == "cyclonedx") return Format::CycloneDx;
  return make_error(ErrorKind::InvalidInput, "`--format {}` is not a format", format)
      .hint("use `spdx` or `cyclonedx`");
}

/// The project's own slipway.lock, if there is one: whether it is the image's, its digest says.
std::string lock_at_hand(const Context& context) {
  const auto project = plan::open_project(context.folder);
  if (!project.ok()) return {};
  Result<std::string> text = read_file(project->lock_file());
  return text.ok() ? std::move(*text) : std::string();
}

Result<int> run(const Invocation& call, Context& context) {
  const Format format = TRY(format_of(call));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  ImageOperand operand = call.operands.empty()
                             ? ImageOperand{TRY(image_of(call, context, tools)), std::nullopt}
                             : TRY(find_image_operand(call.operands[0], context, tools));
  const std::string lock = lock_at_hand(context);
  const std::string path = call.find("output").value_or("-");
  TRY(open_operands(std::span(&operand, 1), tools));
  const sbom::Bom bom = TRY(plan::make_sbom(operand.image, lock, tools));
  const std::string text =
      format == Format::Spdx ? sbom::spdx_text(bom) : sbom::cyclonedx_text(bom);
  if (path == "-") {
    TRY(print(text));
    return 0;
  }
  const std::string file = join_path(context.folder, path);
  TRY(write_file(file, text));
  // In a user namespace we are another than the caller.
  if (tools.owner.uid != ::geteuid() &&
      ::lchown(file.c_str(), tools.owner.uid, tools.owner.gid) != 0)
    return errno_error(fmt::format("cannot give `{}` to its owner", file));
  context.reporter.done(fmt::format("wrote {} packages of `{}` to `{}`", bom.components.size(),
                                    operand.image.reference, path));
  return 0;
}

}  // namespace

Command sbom_command() {
  return {"sbom",
          "write what an image is made of: packages, licences, digests, dependencies",
          Operand::Optional,
          "IMAGE|LAYOUT|ARCHIVE",
          {{"--format", "FORMAT", "spdx (2.3, the default) or cyclonedx (1.6); JSON"},
           {"-o,--output", "PATH", "a file; - is stdout, the default"}},
          {{"slipway sbom -o pytorch.spdx.json", "the project's image"},
           {"slipway sbom pytorch-cuda:2.6 --format cyclonedx", "for a scanner that reads that"}},
          run};
}

}  // namespace slipway::cli
