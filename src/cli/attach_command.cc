#include "cli/all_commands.h"
#include "plan/runs.h"

namespace slipway::cli {
namespace {

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const run::KnownRun found = TRY(plan::find_run(call.operands.front(), tools));
  run::AttachWish wish;
  if (call.has("no-stdin")) wish.reads = run::AttachWish::Reads::Nothing;
  if (const auto keys = call.find("detach-keys")) {
    wish.detach_keys = TRY(run::parse_detach_keys(*keys));
  }
  const run::AttachEnd end = TRY(run::attach_to_run(found, wish));
  if (end.kind == run::AttachEnd::Kind::Detached) {
    context.reporter.note(fmt::format("detached; `{}` goes on", found.facts.name));
    return 0;
  }
  return end.status;
}

}  // namespace

Command attach_command() {
  return {"attach",
          "connect this terminal to a detached run; ctrl-p ctrl-q leaves it again",
          Operand::Required,
          "RUN",
          {{"--no-stdin", "", "only look"}, {"--detach-keys", "KEYS", "in place of ctrl-p,ctrl-q"}},
          {{"slipway attach train", "see what it writes, type what it reads"},
           {"slipway attach --no-stdin train", "only look"}},
          run};
}

}  // namespace slipway::cli
