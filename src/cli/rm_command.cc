#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/each_run.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  std::vector<std::string> words = call.operands;
  if (call.has("ended")) {
    for (const run::KnownRun& run : TRY(plan::list_runs(tools))) {
      if (!run.is_alive) words.push_back(run.facts.id);
    }
  } else if (words.empty()) {
    return make_error(ErrorKind::InvalidInput, "`slipway rm` needs a run")
        .hint("`slipway rm --ended` removes all that have ended");
  }
  if (words.empty()) return 0;
  TRY(act_as_root({0, 0, {}, kOneIsEnough}, tools));
  const std::string folder = plan::runs_folder(tools);
  run::sweep_records(folder);
  const bool is_forced = call.has("force");
  return for_each_run(words, tools, [&](const run::KnownRun& run, const plan::Tools&) {
    return run::remove_run(folder, run, is_forced ? run::Stop::Yes : run::Stop::No,
                           is_forced || call.has("discard") ? run::Discard::Yes : run::Discard::No);
  });
}

}  // namespace

Command rm_command() {
  return {"rm",
          "remove what is kept of runs; their files outside volumes only when told",
          Operand::Any,
          "RUN",
          {{"-f,--force", "", "kill it first where it runs; its files go too"},
           {"--discard", "", "also where it has written files outside volumes"},
           {"--ended", "", "all that have ended"},
           {"-v,--volumes", "", "accepted for Docker's sake: there are no anonymous volumes"}},
          {{"slipway rm train", "its record, its log and its changes to the image"},
           {"slipway rm --ended", "all that have ended and have no files to lose"}},
          run};
}

}  // namespace slipway::cli
