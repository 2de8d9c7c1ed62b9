#include <fmt/format.h>

#include "base/size_text.h"
#include "cli/all_commands.h"
#include "cli/image_json.h"
#include "cli/project_image.h"
#include "cli/run_text.h"

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

/// The two receipts side by side, and only where they differ.
Result<int> compare(const run::KnownRun& one, const run::KnownRun& other, bool as_json) {
  const std::string first = TRY(plan::read_receipt(one));
  const std::string second = TRY(plan::read_receipt(other));
  const auto differences = TRY(run::compare_receipts(first, second));
  if (as_json) {
    TRY(print(json_text(differences)));
    return differences.empty() ? 0 : 1;
  }
  std::string text;
  for (const run::ReceiptDifference& difference : differences) {
    text += fmt::format("{}\n  {}: {}\n  {}: {}\n", difference.place, one.facts.name,
                        difference.one, other.facts.name, difference.other);
  }
  TRY(print(text));
  return differences.empty() ? 0 : 1;
}

/// A run of that name or id, where there is one: as with docker, it comes before an image.
std::optional<run::KnownRun> find_run(const std::string& word, const plan::Tools& tools) {
  Result<run::KnownRun> found = plan::find_run(word, tools);
  if (!found.ok()) return std::nullopt;
  return std::move(*found);
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  if (call.operands.size() > 2) {
    return make_error(ErrorKind::InvalidInput,
                      "`slipway inspect` takes an image, a run or two runs");
  }
  if (call.operands.size() == 2) {
    const run::KnownRun one = TRY(plan::find_run(call.operands[0], tools));
    const run::KnownRun other = TRY(plan::find_run(call.operands[1], tools));
    return compare(one, other, call.has("json"));
  }
  if (call.operands.size() == 1) {
    if (const auto found = find_run(call.operands[0], tools)) {
      const std::string receipt = TRY(plan::read_receipt(*found));
      TRY(print(run_page(*found, receipt)));
      return 0;
    }
  }
  const plan::StoredImage image = TRY(image_of(call, context, tools));
  TRY(print(call.has("json") ? json_text(image) : page_of(image)));
  return 0;
}

}  // namespace

Command inspect_command() {
  return {"inspect",
          "show what an image is made of, or what a run really got; two runs: where they differ",
          Operand::Any,
          "IMAGE|RUN",
          {json_option()},
          {{"slipway inspect pytorch-cuda:2.6 --json", "an image; without a name, the project's"},
           {"slipway inspect train train2", "where two runs differ; a run alone: its receipt"}},
          run};
}

}  // namespace slipway::cli
