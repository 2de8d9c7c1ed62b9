/// Reads the universe of a scenario file: tests/scenarios/README.md has the form. For tests.
#pragma once

#include <doctest/doctest.h>
#include <toml++/toml.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "solve/testing/memory_source.h"

namespace slipway::solve::testing {

inline std::vector<std::string> strings(const toml::node_view<const toml::node> node) {
  std::vector<std::string> result;
  if (const toml::array* array = node.as_array()) {
    for (const toml::node& each : *array) result.push_back(each.value_or(std::string("?")));
  }
  return result;
}

inline void check_keys(const toml::table& table, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : table) {
    const std::string_view name = key.str();
    CAPTURE(name);
    CHECK(std::find(known.begin(), known.end(), name) != known.end());
  }
}

inline Release read_release(std::string_view version, const toml::table& table) {
  check_keys(table, {"requires", "extras", "python", "wheels", "yanked", "bad_metadata"});
  Release release;
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

inline MemorySource read_source(const toml::table& root) {
  version::PythonTarget target;
  const std::string python = root["target"]["python"].value_or(std::string("3.11.2"));
  const auto parsed = version::Version::parse(python);
  REQUIRE(parsed.ok());
  target.minor = static_cast<int>(parsed->release().at(1));
  target.architecture = root["target"]["architecture"].value_or(std::string("x86_64"));
  target.glibc_minor = root["target"]["glibc_minor"].value_or(36);
  MemorySource source(target, python);
  if (root["target"]["has_builds"].value_or(false)) source.expect_builds();
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

/// A wrong answer is shown in the form in which it can be pasted into the file.
inline void check_text(const std::vector<std::string>& wanted,
                       const std::vector<std::string>& got) {
  std::string text;
  for (const std::string& line : got) text += "\n  \"" + line + "\",";
  INFO("the answer was:" << text);
  CHECK(wanted == got);
}

/// Every .toml file of the folder, of which there are at least so many.
inline void run_scenarios(const std::string& folder, std::size_t least,
                          void (*run)(const toml::table& root)) {
  const auto names = list_folder(folder);
  REQUIRE(names.ok());
  std::size_t count = 0;
  for (const std::string& name : *names) {
    if (!name.ends_with(".toml")) continue;
    CAPTURE(name);
    ++count;
    const auto text = read_file(join_path(folder, name));
    REQUIRE(text.ok());
    try {
      run(toml::parse(*text));
    } catch (const toml::parse_error& error) {
      FAIL(error.description());
    }
  }
  CHECK(count >= least);
}

}  // namespace slipway::solve::testing
