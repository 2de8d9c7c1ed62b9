#include <charconv>

#include "base/clock.h"
#include "base/io.h"
#include "cli/all_commands.h"
#include "plan/runs.h"

namespace slipway::cli {
namespace {

Result<run::LogWish> wish_of(const Invocation& call) {
  run::LogWish wish;
  wish.follow = call.has("follow");
  const std::string tail = call.find("tail").value_or("all");
  if (tail != "all") {
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(tail.data(), tail.data() + tail.size(), count);
    if (error != std::errc() || end != tail.data() + tail.size()) {
      return make_error(ErrorKind::InvalidInput, "`--tail {}` is not a number of lines", tail);
    }
    wish.tail = count;
  }
  if (const auto since = call.find("since")) {
    wish.since = TRY_WHILE("reading `--since`", plan::parse_since(*since, utc_now()));
  }
  return wish;
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const run::LogWish wish = TRY(wish_of(call));
  const run::KnownRun found = TRY(plan::find_run(call.operands.front(), tools));
  if (!found.facts.is_detached) {
    return make_error(ErrorKind::InvalidInput, "the run `{}` keeps no log: it is in the foreground",
                      found.facts.name)
        .hint("what a run with `-d` writes is kept");
  }
  const bool has_times = call.has("timestamps");
  bool begins_line[2] = {true, true};
  TRY(run::read_log(found.folder, wish, [&](const run::LogLine& line) -> Result<bool> {
    const bool is_error = line.stream == run::Stream::ErrorOutput;
    std::string text;
    if (has_times && begins_line[is_error]) text = utc_time_text(line.time) + " ";
    text += line.text;
    if (!line.is_part) text += '\n';
    begins_line[is_error] = !line.is_part;
    FdSink sink(is_error ? 2 : 1);
    // A reader who has seen enough (`| head`) is no failure.
    return sink.write(as_bytes(text)).ok() && !context.cancel.cancelled();
  }));
  return 0;
}

}  // namespace

Command logs_command() {
  return {"logs",
          "show what a detached run has written",
          Operand::Required,
          "RUN",
          {{"-f,--follow", "", "and what it writes from now on, until it ends"},
           {"-n,--tail", "NUMBER|all", "only so many lines from the end"},
           {"--since", "TIME", "only from then on: 10m, 2h, or 2026-01-31T12:00:00Z"},
           {"-t,--timestamps", "", "with the time of each line"}},
          {{"slipway logs -f train", "follow a training"},
           {"slipway logs --since 10m -t train", "the last ten minutes, with times"}},
          run};
}

}  // namespace slipway::cli
