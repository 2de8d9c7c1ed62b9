#include <charconv>

#include "cli/all_commands.h"
#include "cli/each_run.h"
#include "plan/runs.h"

namespace slipway::cli {
namespace {

Result<int> stop(const Invocation& call, Context& context) {
  std::optional<int> seconds;
  if (const auto text = call.find("time")) {
    int number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc() || end != text->data() + text->size() || number < -1) {
      return make_error(ErrorKind::InvalidInput, "`--time {}` is not a number of seconds", *text);
    }
    seconds = number;
  }
  std::optional<int> number;
  if (const auto text = call.find("signal")) number = TRY(run::parse_signal(*text));
  return for_each_run(call, context, [&](const run::KnownRun& run, const plan::Tools&) {
    const Result<int> ended = run::stop_run(run, number.value_or(run.facts.stop_signal),
                                            seconds.value_or(run.facts.stop_seconds));
    return ended.ok() ? Result<void>() : Result<void>(ended.error());
  });
}

Result<int> kill(const Invocation& call, Context& context) {
  const int number = TRY(run::parse_signal(call.find("signal").value_or("KILL")));
  return for_each_run(call, context, [&](const run::KnownRun& run, const plan::Tools&) {
    return run::signal_run(run, number);
  });
}

Result<int> wait(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  std::vector<run::KnownRun> runs;
  for (const std::string& word : call.operands) runs.push_back(TRY(plan::find_run(word, tools)));
  for (const run::KnownRun& one : runs) {
    const int status = TRY(run::wait_for_run(one));
    TRY(print(fmt::format("{}\n", status)));
  }
  return 0;
}

}  // namespace

Command stop_command() {
  return {"stop",
          "ask runs to end, and end them after a while",
          Operand::Many,
          "RUN",
          {{"-t,--time,--timeout", "SECONDS", "until it is killed; 10 otherwise; -1: never"},
           {"-s,--signal", "SIGNAL", "in place of SIGTERM, or of the run's --stop-signal"}},
          {{"slipway stop train", "SIGTERM, ten seconds, SIGKILL"},
           {"slipway stop -t 60 $(slipway ps -q)", "all of them, with a minute each"}},
          stop};
}

Command kill_command() {
  return {"kill",
          "send runs a signal",
          Operand::Many,
          "RUN",
          {{"-s,--signal", "SIGNAL", "in place of SIGKILL"}},
          {{"slipway kill train", "end it at once"},
           {"slipway kill -s USR1 train", "tell it something"}},
          kill};
}

Command wait_command() {
  return {"wait",
          "wait until runs have ended, and print their exit statuses",
          Operand::Many,
          "RUN",
          {},
          {{"slipway wait train", "blocks, then prints its status"},
           {"slipway wait $(slipway ps -q)", "all that run now, in turn"}},
          wait};
}

}  // namespace slipway::cli
