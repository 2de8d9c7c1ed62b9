#include <cmath>

#include "base/nearest.h"
#include "base/size_text.h"
#include "spec/project_sections.h"

namespace slipway::spec {
namespace {

using Text = Read<std::string>;

constexpr std::int64_t kLastUid = 65533;  // 65534 is nobody, 65535 is (uid16_t)-1

void read_size(TableReader& table, std::string_view key, std::optional<std::uint64_t>& into) {
  const auto text = table.text(key);
  if (!text) return;
  const Result<std::uint64_t> size = parse_size(text->value);
  if (size.ok() && *size > 0) {
    into = *size;
    return;
  }
  refuse(table, *text,
         Fault{fmt::format("`{}` is not a size", text->value),
               "write a number and k, m, g or t, like `512m` or `32g`"});
}

}  // namespace

void read_code(TableReader& root, ProjectCode& code) {
  auto table = root.table("project");
  if (!table) return;
  for (Text& text : table->texts("copy")) {
    if (refuse(*table, text, check_copy_path(text.value))) continue;
    const std::string path = normal_copy_path(text.value);
    const auto overlaps = std::find_if(code.copy.begin(), code.copy.end(), [&](const auto& other) {
      return is_within(path, other) || is_within(other, path);
    });
    if (overlaps != code.copy.end()) {
      refuse(*table, text,
             Fault{fmt::format("`{}` and `{}` overlap", *overlaps, path), "keep the outer one"});
      continue;
    }
    code.copy.push_back(path);
  }
  table->not_yet({"exclude", "install", "to"});
  table->refuse_the_rest(project_keys());
}

void read_user(TableReader& root, User& user) {
  auto table = root.table("user");
  if (!table) return;
  Position at = table->at();
  if (auto name = table->text("name")) {
    refuse(*table, *name, check_user_name(name->value));
    user.name = std::move(name->value);
  }
  if (auto uid = table->integer("uid")) {
    at = uid->at;
    if (uid->value < 0 || uid->value > kLastUid) {
      table->problem(at,
                     fmt::format("`user.uid`: {} is not between 1 and {}", uid->value, kLastUid),
                     "1000 is the usual one");
    } else {
      user.uid = static_cast<std::uint32_t>(uid->value);
    }
  }
  if ((user.name == "root") != (user.uid == 0)) {
    table->problem(at,
                   fmt::format("`user`: the name is `{}` and the uid is {}", user.name, user.uid),
                   "for root write both `name = \"root\"` and `uid = 0`; without root, neither");
  }
  table->not_yet({"gid", "groups", "home", "shell", "sudo"});
  table->refuse_the_rest(project_keys());
}

void read_modes(TableReader& root, std::map<std::string, Mode>& modes) {
  auto table = root.table("modes");
  if (!table) return;
  for (auto& [name, mode] : table->all_tables()) {
    refuse(mode, Text{name, mode.at(), "modes"}, check_plain_name(name));
    for (Text& word : mode.texts("command", Presence::Required)) {
      if (word.value.find('\0') != std::string::npos) {
        refuse(mode, word, Fault{"there is a NUL in it", "take it out"});
      }
      modes[name].command.push_back(std::move(word.value));
    }
    mode.not_yet({"env", "port", "ports", "workdir", "resources", "restart"});
    mode.refuse_the_rest(project_keys());
  }
}

void read_resources(TableReader& root, Resources& resources) {
  auto table = root.table("resources");
  if (!table) return;
  if (auto gpus = table->text("gpus")) {
    static const std::vector<std::string> kKnown{"auto", "all", "none"};
    if (std::find(kKnown.begin(), kKnown.end(), gpus->value) == kKnown.end()) {
      refuse(*table, *gpus,
             Fault{fmt::format("`{}` is not `auto`, `all` or `none`", gpus->value),
                   did_you_mean(find_nearest(gpus->value, kKnown))});
    }
    resources.gpus = std::move(gpus->value);
  }
  read_size(*table, "memory", resources.memory_bytes);
  if (auto cpus = table->number("cpus")) {
    if (std::isfinite(cpus->value) && cpus->value > 0) {
      resources.cpus = cpus->value;
    } else {
      table->problem(cpus->at, "`resources.cpus` has to be more than 0", "write `cpus = 8`");
    }
  }
  read_size(*table, "shm", resources.shm_bytes);
  table->not_yet({"pids", "disk", "swap", "ulimits"});
  table->refuse_the_rest(project_keys());
}

}  // namespace slipway::spec
