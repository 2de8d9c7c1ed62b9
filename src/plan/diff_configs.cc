#include <algorithm>
#include <map>

#include "plan/image_diff.h"

namespace slipway::plan {
namespace {

using Fields = std::map<std::string, std::string>;

void add(std::string field, const std::string& before, const std::string& after,
         std::vector<ConfigDiff>& differences) {
  if (before != after)
    differences.push_back({std::move(field), before, after, !before.empty(), !after.empty()});
}

/// Name by name: those of one side alone, and those of another value.
void add_each(std::string_view what, const Fields& before, const Fields& after,
              std::vector<ConfigDiff>& differences) {
  Fields all = before;
  all.insert(after.begin(), after.end());
  for (const auto& [name, unused] : all) {
    const auto one = before.find(name), other = after.find(name);
    ConfigDiff difference{fmt::format("{} {}", what, name), "", "", one != before.end(),
                          other != after.end()};
    if (difference.was_there) difference.before = one->second;
    if (difference.is_there) difference.after = other->second;
    const bool is_same =
        difference.was_there == difference.is_there && difference.before == difference.after;
    if (!is_same) differences.push_back(std::move(difference));
  }
}

/// `NAME=value`; of a name that comes twice, the last, as in a process.
Fields environment_of(const oci::ImageConfig& config) {
  Fields fields;
  for (const std::string& variable : config.env) {
    const std::size_t equals = std::min(variable.find('='), variable.size());
    fields[variable.substr(0, equals)] =
        equals == variable.size() ? "" : variable.substr(equals + 1);
  }
  return fields;
}

/// As a shell would need them, near enough to tell words apart.
std::string words_text(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    const bool is_plain =
        !word.empty() && word.find_first_of(" \t\n\"'\\$`;&|<>()") == std::string::npos;
    text += (text.empty() ? "" : " ") + (is_plain ? word : "'" + word + "'");
  }
  return text;
}

Fields names_of(const std::set<std::string>& names) {
  Fields fields;
  for (const std::string& name : names) fields[name];
  return fields;
}

}  // namespace

std::vector<ConfigDiff> diff_configs(const oci::ImageConfig& before,
                                     const oci::ImageConfig& after) {
  std::vector<ConfigDiff> differences;
  add("platform", before.platform.text(), after.platform.text(), differences);
  add("user", before.user, after.user, differences);
  add("folder", before.working_folder, after.working_folder, differences);
  add("entrypoint", words_text(before.entrypoint), words_text(after.entrypoint), differences);
  add("command", words_text(before.cmd), words_text(after.cmd), differences);
  add_each("environment", environment_of(before), environment_of(after), differences);
  add_each("port", names_of(before.exposed_ports), names_of(after.exposed_ports), differences);
  add_each("volume", names_of(before.volumes), names_of(after.volumes), differences);
  add("stop signal", before.stop_signal, after.stop_signal, differences);
  add_each("label", before.labels, after.labels, differences);
  return differences;
}

}  // namespace slipway::plan
