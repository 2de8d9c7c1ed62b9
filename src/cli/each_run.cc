#include "cli/each_run.h"

namespace slipway::cli {

Result<int> for_each_run(const std::vector<std::string>& words, const plan::Tools& tools,
                         const PerRun& work) {
  std::optional<Error> failure;
  for (const std::string& word : words) {
    const Result<run::KnownRun> found = plan::find_run(word, tools);
    const Result<void> done = found.ok() ? work(*found, tools) : Result<void>(found.error());
    if (done.ok()) {
      TRY(print(word + "\n"));
      continue;
    }
    if (failure) tools.reporter.warn(failure->message);
    failure = done.error();
  }
  if (failure) return std::move(*failure);
  return 0;
}

Result<int> for_each_run(const Invocation& call, Context& context, const PerRun& work) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  return for_each_run(call.operands, tools, work);
}

}  // namespace slipway::cli
