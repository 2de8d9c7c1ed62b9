#include <nlohmann/json.hpp>

#include "cli/all_commands.h"
#include "cli/lock_graph.h"
#include "plan/lock_project.h"

namespace slipway::cli {
namespace {

std::string json_of(const spec::Lock& lock) {
  nlohmann::ordered_json packages = nlohmann::ordered_json::array();
  for (const spec::LockedWheel& wheel : lock.wheels) {
    packages.push_back({{"name", wheel.name},
                        {"version", wheel.version},
                        {"source", wheel.index},
                        {"file", wheel.file_name},
                        {"sha256", wheel.sha256.hex()},
                        {"requires", wheel.dependencies}});
  }
  const nlohmann::ordered_json answer{{"schema", 1}, {"packages", std::move(packages)}};
  return answer.dump(2) + "\n";
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::ProjectFolder project = TRY(plan::open_project(context.folder));
  const spec::Lock lock = TRY(plan::read_lock(project));
  TRY(print(call.has("json") ? json_of(lock) : draw_tree(lock)));
  return 0;
}

}  // namespace

Command tree_command() {
  return {"tree",
          "show what needs what in slipway.lock",
          Operand::None,
          "",
          {json_option()},
          {{"slipway tree", "the layers, and the packages below slipway.toml"},
           {"slipway tree --json", "the same for scripts"}},
          run};
}

}  // namespace slipway::cli
