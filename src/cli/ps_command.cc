#include <algorithm>

#include "base/clock.h"
#include "cli/all_commands.h"
#include "cli/run_text.h"

namespace slipway::cli {
namespace {

/// Values of one key are alternatives; keys must all match, as with docker.
Result<bool> matches_all(const run::KnownRun& run, const std::vector<std::string>& filters) {
  std::map<std::string, bool> keys;
  for (const std::string& filter : filters) {
    bool& matches = keys[filter.substr(0, filter.find('='))];
    matches = TRY(matches_filter(run, filter)) || matches;
  }
  return std::all_of(keys.begin(), keys.end(), [](const auto& key) { return key.second; });
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const std::vector<std::string> filters = call.all("filter");
  const bool by_status = std::any_of(filters.begin(), filters.end(), [](const std::string& filter) {
    return filter.starts_with("status=") || filter.starts_with("exited=");
  });
  std::vector<run::KnownRun> shown;
  for (run::KnownRun& run : TRY(plan::list_runs(tools))) {
    if (!call.has("all") && !by_status && !run.is_alive) continue;
    if (TRY(matches_all(run, filters))) shown.push_back(std::move(run));
  }
  if (call.has("json")) {
    TRY(print(ps_json(shown)));
  } else if (call.has("quiet")) {
    std::string ids;
    for (const run::KnownRun& run : shown) {
      ids += (call.has("no-trunc") ? run.facts.id : run.facts.id.substr(0, 12)) + "\n";
    }
    TRY(print(ids));
  } else {
    TRY(print(ps_table(shown, utc_now())));
  }
  return 0;
}

}  // namespace

Command ps_command() {
  return {"ps",
          "list the runs that go on; with -a also those that have ended",
          Operand::None,
          "",
          {{"-a,--all", "", "also those that have ended"},
           {"-q,--quiet", "", "ids alone"},
           {"--no-trunc", "", "ids in full"},
           {"-f,--filter", "KEY=VALUE", "id, name, image, status, exited or label (repeatable)"},
           json_option()},
          {{"slipway ps -a", "everything that has a record"},
           {"slipway rm $(slipway ps -aq --filter status=exited)", "remove what has ended"}},
          run};
}

}  // namespace slipway::cli
