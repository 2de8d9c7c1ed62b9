/// Runs every file of tests/scenarios/python: see README.md there for the form.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "base/file.h"
#include "solve/explain.h"
#include "solve/solve.h"
#include "solve/testing/memory_source.h"

namespace slipway::solve {
namespace {

const std::string kFolder = std::string(SLIPWAY_SOURCE_DIR) + "/tests/scenarios/python";

std::vector<std::string> strings(const toml::node_view<const toml::node> node) {
  std::vector<std::string> result;
  if (const toml::array* array = node.as_array()) {
    for (const toml::node& each : *array) result.push_back(each.value_or(std::string("?")));
  }
  return result;
}

void check_keys(const toml::table& table, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : table) {
    const std::string_view name = key.str();
    CAPTURE(name);
    CHECK(std::find(known.begin(), known.end(), name) != known.end());
  }
}

testing::Release read_release(std::string_view version, const toml::table& table) {
  check_keys(table, {"requires", "extras", "python", "wheels", "yanked", "bad_metadata"});
  testing::Release release;
  release.version = version;
  release.requires_texts = strings(toml::node_view<const toml::node>(table["requires"]));
  release.extras = strings(toml::node_view<const toml::node>(table["extras"]));
  release.requires_python = table["python"].value_or(std::string());
  release.wheels = strings(toml::node_view<const toml::node>(table["wheels"]));
  release.is_yanked = table.contains("yanked");
  release.yanked_reason = table["yanked"].value_or(std::string());
  release.bad_metadata = table["bad_metadata"].value_or(std::string());
  return release;
}

testing::MemorySource read_source(const toml::table& root) {
  version::PythonTarget target;
  const std::string python = root["target"]["python"].value_or(std::string("3.11.2"));
  const auto parsed = version::Version::parse(python);
  REQUIRE(parsed.ok());
  target.minor = static_cast<int>(parsed->release().at(1));
  target.architecture = root["target"]["architecture"].value_or(std::string("x86_64"));
  target.glibc_minor = root["target"]["glibc_minor"].value_or(36);
  testing::MemorySource source(target, python);
  if (const toml::table* packages = root["packages"].as_table()) {
    for (const auto& [name, versions] : *packages) {
      REQUIRE(versions.is_table());
      for (const auto& [version, release] : *versions.as_table()) {
        REQUIRE(release.is_table());
        const auto added = source.add(name.str(), read_release(version.str(), *release.as_table()));
        if (!added) FAIL(added.error().message);
      }
    }
  }
  return source;
}

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

void check_text(const std::vector<std::string>& wanted, const std::vector<std::string>& got) {
  std::string text;
  for (const std::string& line : got) text += "\n  \"" + line + "\",";
  INFO("the answer was:" << text);
  CHECK(wanted == got);
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
    const Explanation explanation = explain(std::get<Conflict>(answer.value()));
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

TEST_CASE("scenarios") {
  const auto names = list_folder(kFolder);
  REQUIRE(names.ok());
  std::size_t count = 0;
  for (const std::string& name : *names) {
    if (!name.ends_with(".toml")) continue;
    CAPTURE(name);
    ++count;
    const auto text = read_file(join_path(kFolder, name));
    REQUIRE(text.ok());
    try {
      run_scenario(toml::parse(*text));
    } catch (const toml::parse_error& error) {
      FAIL(error.description());
    }
  }
  CHECK(count >= 90);
}

}  // namespace slipway::solve
