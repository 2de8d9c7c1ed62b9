/// One function for each table of slipway.toml. Each reports what is wrong and fills in the rest.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spec/names.h"
#include "spec/project.h"
#include "spec/reader.h"

namespace slipway::spec {

void read_image(TableReader& root, Image& image);
void read_target(TableReader& root, Target& target);
void read_base(TableReader& root, Base& base);
/// After the base: an image brings its own Python.
void read_python(TableReader& root, const Base& base, Python& python);
void read_python_version(TableReader& table, const Base& base, Python& python);
void read_code(TableReader& root, ProjectCode& code);
void read_user(TableReader& root, User& user);
void read_modes(TableReader& root, std::map<std::string, Mode>& modes);
void read_resources(TableReader& root, Resources& resources);

/// The dotted name of every key, for "it belongs in ...".
std::span<const std::string> project_keys();

/// Reports the fault, if there is one, at the value it was found in.
bool refuse(TableReader& table, const Read<std::string>& text, std::optional<Fault> fault);

/// A list of strings without doubles, each of which `check` lets pass.
template <typename Check>
std::vector<std::string> read_checked(TableReader& table, std::string_view key, Check&& check) {
  std::vector<std::string> values;
  for (Read<std::string>& text : table.texts(key)) {
    if (refuse(table, text, check(text.value))) continue;
    if (std::find(values.begin(), values.end(), text.value) != values.end()) {
      refuse(table, text, Fault{fmt::format("`{}` is there twice", text.value), "take one out"});
      continue;
    }
    values.push_back(std::move(text.value));
  }
  return values;
}

}  // namespace slipway::spec
