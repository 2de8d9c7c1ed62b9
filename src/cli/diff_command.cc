#include "cli/all_commands.h"
#include "cli/diff_text.h"
#include "cli/image_operand.h"
#include "cli/terminal_reporter.h"
#include "plan/image_diff.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  if (call.operands.size() != 2) {
    return make_error(ErrorKind::InvalidInput, "`slipway diff` compares two images, not {}",
                      call.operands.size())
        .hint("`slipway images` lists what is there");
  }
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  std::vector<ImageOperand> operands;
  for (const std::string& word : call.operands)
    operands.push_back(TRY(find_image_operand(word, context, tools)));
  TRY(open_operands(operands, tools));
  const plan::ImageDiff diff = TRY(plan::diff_images(operands[0].image, operands[1].image, tools));
  const ShowFiles files = call.has("files") ? ShowFiles::All : ShowFiles::Some;
  TRY(print(call.has("json") ? diff_json(diff, files)
                             : diff_page(diff, files, read_terminal_style(1).colour)));
  return call.has("exit-code") && !diff.is_empty() ? 1 : 0;
}

}  // namespace

Command diff_command() {
  return {"diff",
          "show what two images differ in: packages, GPUs, settings, files, what to pull",
          Operand::Many,
          "IMAGE|LAYOUT|ARCHIVE",
          {{"--files", "", "every file, also those of packages"},
           {"--exit-code", "", "end with 1 where files or settings differ, as `git diff` does"},
           json_option()},
          {{"slipway diff pytorch-cuda:2.6 pytorch-cuda:2.7", "what an upgrade changes"},
           {"slipway diff mine:1 mine.tar --exit-code", "is the archive what the store has?"}},
          run};
}

}  // namespace slipway::cli
