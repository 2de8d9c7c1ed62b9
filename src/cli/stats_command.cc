#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/size_text.h"
#include "cli/all_commands.h"
#include "plan/runs.h"

namespace slipway::cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

struct Sample {
  run::KnownRun run;
  run::Usage usage;
  double cpu_percent = 0;
};

Result<std::vector<run::KnownRun>> wanted_runs(const Invocation& call, const plan::Tools& tools) {
  std::vector<run::KnownRun> runs;
  if (call.operands.empty()) {
    runs = TRY(plan::list_runs(tools));
    std::erase_if(runs, [](const run::KnownRun& run) { return !run.is_alive; });
    return runs;
  }
  for (const std::string& word : call.operands) runs.push_back(TRY(plan::find_run(word, tools)));
  for (const run::KnownRun& run : runs) {
    if (run.is_alive) continue;
    return make_error(ErrorKind::InvalidInput, "the run `{}` is not running", run.facts.name);
  }
  return runs;
}

/// Two looks, a moment apart: CPU is what was spent between them.
std::vector<Sample> take_samples(std::vector<run::KnownRun> runs, std::chrono::milliseconds apart) {
  std::vector<Sample> samples;
  const auto began = Clock::now();
  for (run::KnownRun& run : runs) {
    const Result<run::Usage> usage = run::read_usage(run);
    if (usage.ok()) samples.push_back({std::move(run), *usage, 0});
  }
  std::this_thread::sleep_for(apart);
  std::vector<Sample> second;
  for (Sample& sample : samples) {
    const Result<run::Usage> usage = run::read_usage(sample.run);
    if (!usage.ok()) continue;
    const double microseconds =
        std::chrono::duration<double, std::micro>(Clock::now() - began).count();
    const std::uint64_t spent =
        usage->cpu_microseconds - std::min(usage->cpu_microseconds, sample.usage.cpu_microseconds);
    second.push_back(
        {std::move(sample.run), *usage, 100.0 * static_cast<double>(spent) / microseconds});
  }
  return second;
}

std::uint64_t machine_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string pair_text(const std::optional<std::uint64_t>& one,
                      const std::optional<std::uint64_t>& other) {
  if (!one || !other) return "--";
  return fmt::format("{} / {}", size_text(*one), size_text(*other));
}

std::string table_of(const std::vector<Sample>& samples) {
  std::string table = fmt::format(
      "{:<12}   {:<20}   {:>7}   {:<19}   {:>6}   {:<17}   {:<17}   {:>4}\n", "CONTAINER ID",
      "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS");
  for (const Sample& sample : samples) {
    const run::Usage& usage = sample.usage;
    const std::uint64_t limit = usage.memory_limit_bytes.value_or(machine_memory());
    table +=
        fmt::format("{:<12}   {:<20}   {:>6.2f}%   {:<19}   {:>5.2f}%   {:<17}   {:<17}   {:>4}\n",
                    sample.run.facts.id.substr(0, 12), sample.run.facts.name, sample.cpu_percent,
                    memory_text(usage.memory_bytes) + " / " + memory_text(limit),
                    100.0 * static_cast<double>(usage.memory_bytes) / static_cast<double>(limit),
                    pair_text(usage.received_bytes, usage.sent_bytes),
                    pair_text(usage.read_bytes, usage.written_bytes), usage.processes);
  }
  return table;
}

Json number(const std::optional<std::uint64_t>& value) { return value ? Json(*value) : Json(); }

std::string json_of(const std::vector<Sample>& samples) {
  Json list = Json::array();
  for (const Sample& sample : samples) {
    const run::Usage& usage = sample.usage;
    list.push_back({{"id", sample.run.facts.id},
                    {"name", sample.run.facts.name},
                    {"from", usage.from == run::Usage::From::Group ? "cgroup" : "processes"},
                    {"cpu_percent", sample.cpu_percent},
                    {"cpu_microseconds", usage.cpu_microseconds},
                    {"memory_bytes", usage.memory_bytes},
                    {"memory_limit_bytes", number(usage.memory_limit_bytes)},
                    {"received_bytes", number(usage.received_bytes)},
                    {"sent_bytes", number(usage.sent_bytes)},
                    {"read_bytes", number(usage.read_bytes)},
                    {"written_bytes", number(usage.written_bytes)},
                    {"processes", usage.processes}});
  }
  return Json{{"schema", 1}, {"runs", list}}.dump(2) + "\n";
}

void say_sources(const std::vector<Sample>& samples, Reporter& reporter) {
  const auto counted = std::count_if(samples.begin(), samples.end(), [](const Sample& sample) {
    return sample.usage.from == run::Usage::From::Processes;
  });
  if (counted == 0) return;
  reporter.note(fmt::format(
      "{} without a control group of {}: added up from processes, those that ended left out",
      counted == static_cast<long>(samples.size()) ? "runs" : fmt::format("{} of them", counted),
      counted == 1 ? "its own" : "their own"));
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const bool goes_on = !call.has("no-stream") && !call.has("json") && ::isatty(1) == 1;
  bool is_first = true;
  do {
    const std::vector<Sample> samples = take_samples(
        TRY(wanted_runs(call, tools)), std::chrono::milliseconds(goes_on ? 1000 : 200));
    if (call.has("json")) {
      TRY(print(json_of(samples)));
      return 0;
    }
    if (is_first) say_sources(samples, context.reporter);
    is_first = false;
    TRY(print((goes_on ? "\x1b[H\x1b[2J" : "") + table_of(samples)));
  } while (goes_on && !context.cancel.cancelled());
  return 0;
}

}  // namespace

Command stats_command() {
  return {"stats",
          "show what runs use: processors, memory, disks",
          Operand::Any,
          "RUN",
          {{"--no-stream", "", "once, not for ever"}, json_option()},
          {{"slipway stats", "all that run, until ctrl-c"},
           {"slipway stats --no-stream train", "one, once"}},
          run};
}

}  // namespace slipway::cli
