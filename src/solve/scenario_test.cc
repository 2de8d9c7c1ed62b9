/// Runs every file of tests/scenarios/python: see README.md there for the form.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "solve/explain.h"
#include "solve/solve.h"
#include "solve/testing/scenario_file.h"

namespace slipway::solve {
namespace {

using testing::check_keys;
using testing::check_text;
using testing::read_source;
using testing::strings;

const std::string kFolder = std::string(SLIPWAY_SOURCE_DIR) + "/tests/scenarios/python";

Result<Request> read_request(const toml::table& root, const testing::MemorySource& source) {
  Request request;
  for (const std::string& text : strings(root["request"]["packages"])) {
    auto parsed = source.parse(text);
    if (!parsed) return parsed.error();
    for (Requirement& each : *parsed) request.requirements.push_back(std::move(each));
  }
  if (const toml::table* kept = root["request"]["preferences"].as_table()) {
    for (const auto& [name, version] : *kept) {
      request.preferences.emplace(name.str(), version.value_or(std::string()));
    }
  }
  return request;
}

// "foo 1.0" or "foo[a,b] 1.0"; the target's own facts are left out.
std::vector<std::string> lock_lines(const Solution& solution) {
  std::vector<std::string> lines;
  for (const Chosen& chosen : solution.packages) {
    if (chosen.is_given) continue;
    std::string extras;
    for (const std::string& extra : chosen.extras) extras += (extras.empty() ? "" : ",") + extra;
    lines.push_back(chosen.name + (extras.empty() ? "" : "[" + extras + "]") + " " +
                    chosen.version);
  }
  return lines;
}

void run_scenario(const toml::table& root) {
  check_keys(root, {"about", "target", "packages", "request", "expect"});
  testing::MemorySource source = read_source(root);
  const auto& expect = *root["expect"].as_table();
  check_keys(expect, {"lock", "because", "hints", "not_read", "needed_by", "error"});
  const Result<Request> request = read_request(root, source);
  if (!request) {
    CHECK(request.error().message == root["expect"]["error"].value_or(std::string()));
    return;
  }
  REQUIRE_FALSE(expect.contains("error"));
  const auto answer = solve(*request, source, CancelToken());
  if (!answer) FAIL(answer.error().message);
  if (const auto* solution = std::get_if<Solution>(&answer.value())) {
    REQUIRE(expect.contains("lock"));
    check_text(strings(root["expect"]["lock"]), lock_lines(*solution));
    if (const toml::table* links = root["expect"]["needed_by"].as_table()) {
      for (const Chosen& chosen : solution->packages) {
        if (!links->contains(chosen.name)) continue;
        check_text(strings(root["expect"]["needed_by"][chosen.name]), chosen.needed_by);
      }
    }
  } else {
    Explanation explanation = explain(std::get<Conflict>(answer.value()));
    for (std::string& suspect : explanation.suspects) {
      explanation.hints.push_back(std::move(suspect));
    }
    check_text(strings(root["expect"]["because"]), explanation.because);
    if (expect.contains("hints")) {
      check_text(strings(root["expect"]["hints"]), explanation.hints);
    }
  }
  for (const std::string& text : strings(root["expect"]["not_read"])) {
    CAPTURE(text);
    CHECK(std::find(source.log().begin(), source.log().end(), text) == source.log().end());
  }
}

}  // namespace

TEST_CASE("scenarios") { testing::run_scenarios(kFolder, 90, run_scenario); }

}  // namespace slipway::solve
