/// Runs every file of tests/scenarios/chain: the layers below Python, with the reviewed tables, and
/// the remedies that are offered. See tests/scenarios/README.md for the form.
#include <fmt/format.h>

#include "plan/chain_source.h"
#include "plan/remedies.h"
#include "plan/target_facts.h"
#include "solve/explain.h"
#include "solve/testing/scenario_file.h"

namespace slipway::plan {
namespace {

using solve::testing::check_keys;
using solve::testing::check_text;
using solve::testing::strings;

const std::string kFolder = std::string(SLIPWAY_SOURCE_DIR) + "/tests/scenarios/chain";

spec::Project read_project(const toml::table& root) {
  spec::Project project;
  project.python.packages = strings(root["request"]["packages"]);
  project.target.gpus = strings(root["target"]["gpu"]);
  project.target.cpu = root["target"]["cpu"].value_or(std::string());
  project.target.cuda_compat = root["target"]["cuda-compat"].value_or(std::string());
  project.target.driver = root["target"]["driver"].value_or(std::string());
  return project;
}

Result<SolveOutcome> solve_project(const toml::table& root, const spec::Project& project) {
  solve::testing::MemorySource python = solve::testing::read_source(root);
  const TargetFacts facts = TRY(find_target_facts(project.target, gpu::compatibility_tables()));
  ChainSource chain(python, gpu::compatibility_tables(), facts.chain);
  solve::Request request;
  for (const std::string& text : project.python.packages) {
    for (solve::Requirement& each : TRY(python.parse(text))) {
      request.requirements.push_back(std::move(each));
    }
  }
  for (solve::Requirement& each : chain.asked()) request.requirements.push_back(std::move(each));
  return solve::solve(request, chain, CancelToken());
}

std::vector<std::string> lock_lines(const solve::Solution& solution) {
  std::vector<std::string> lines;
  for (const solve::Chosen& chosen : solution.packages) {
    if (is_layer(chosen.name) && chosen.name != kCudaPackage) continue;
    lines.push_back(chosen.name + " " + chosen.version);
  }
  return lines;
}

void run_scenario(const toml::table& root) {
  check_keys(root, {"about", "target", "packages", "request", "expect"});
  check_keys(*root["expect"].as_table(), {"lock", "because", "remedies", "refused"});
  const spec::Project project = read_project(root);
  const auto outcome = solve_project(root, project);
  if (!outcome) {
    check_text(strings(root["expect"]["refused"]), {outcome.error().message});
    return;
  }
  if (const auto* solution = std::get_if<solve::Solution>(&outcome.value())) {
    check_text(strings(root["expect"]["lock"]), lock_lines(*solution));
    return;
  }
  const auto& conflict = std::get<solve::Conflict>(outcome.value());
  check_text(strings(root["expect"]["because"]), solve::explain(conflict).because);
  const auto remedies =
      find_remedies(project, conflict, gpu::compatibility_tables(),
                    [&](const spec::Project& changed) { return solve_project(root, changed); });
  if (!remedies) FAIL(remedies.error().message);
  check_text(strings(root["expect"]["remedies"]), *remedies);
}

}  // namespace

TEST_CASE("scenarios across the layers") {
  solve::testing::run_scenarios(kFolder, 30, run_scenario);
}

}  // namespace slipway::plan
