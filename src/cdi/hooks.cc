#include "cdi/hooks.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/file.h"

namespace slipway::cdi {
namespace {

/// `nvidia-cdi-hook NAME …` or `nvidia-ctk hook NAME …`: the words from NAME on.
std::span<const std::string> words_of(const Hook& hook) {
  std::span<const std::string> words = hook.arguments;
  const std::string program = base_name(hook.path);
  if (words.empty()) return {};
  words = words.subspan(1);
  if (program == "nvidia-cdi-hook") return words;
  if (program != "nvidia-ctk" || words.empty() || words[0] != "hook") return {};
  return words.subspan(1);
}

struct Option {
  std::string name, value;
};

/// `--name value` and `--name=value`; nothing where a word is neither.
std::optional<std::vector<Option>> options_of(std::span<const std::string> words) {
  std::vector<Option> options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) return std::nullopt;
    const std::size_t equals = words[i].find('=');
    if (equals != std::string::npos) {
      options.push_back({words[i].substr(2, equals - 2), words[i].substr(equals + 1)});
    } else if (i + 1 < words.size()) {
      options.push_back({words[i].substr(2), words[i + 1]});
      ++i;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

std::optional<HookEffects> links_of(const std::vector<Option>& options) {
  HookEffects effects;
  for (const Option& option : options) {
    const std::size_t colons = option.value.find("::");
    if (option.name != "link" || colons == std::string::npos || colons == 0) return std::nullopt;
    HookLink link{option.value.substr(colons + 2), option.value.substr(0, colons)};
    if (link.path.empty() || link.path.find("::") != std::string::npos) return std::nullopt;
    if (!link.path.starts_with('/')) link.path = fmt::format("/{}", link.path);
    if (std::ranges::find(effects.links, link) == effects.links.end()) {
      effects.links.push_back(std::move(link));
    }
  }
  return effects;
}

std::optional<HookEffects> folders_of(const std::vector<Option>& options) {
  HookEffects effects;
  for (const Option& option : options) {
    if (option.name == "ldconfig-path") continue;  // ours is none
    if (option.name != "folder" || !option.value.starts_with('/')) return std::nullopt;
    effects.loader_folders.push_back(option.value);
  }
  return effects;
}

/// In /dev every folder is open to all anyway.
std::optional<HookEffects> modes_of(const std::vector<Option>& options) {
  for (const Option& option : options) {
    const bool is_in_dev = option.name == "path" && is_within(option.value, "/dev");
    if (!is_in_dev && (option.name != "mode" || option.value != "755")) return std::nullopt;
  }
  return HookEffects{};
}

}  // namespace

std::optional<HookEffects> find_effects(const Hook& hook) {
  const std::span<const std::string> words = words_of(hook);
  if (words.empty() || hook.name != "createContainer") return std::nullopt;
  const std::optional<std::vector<Option>> options = options_of(words.subspan(1));
  if (words[0] == "disable-device-node-modification") return HookEffects{};
  if (!options) return std::nullopt;
  if (words[0] == "create-symlinks") return links_of(*options);
  if (words[0] == "update-ldcache") return folders_of(*options);
  if (words[0] == "chmod") return modes_of(*options);
  return std::nullopt;
}

std::string describe_hook(const Hook& hook) {
  std::string text = hook.path;
  for (std::size_t i = 1; i < hook.arguments.size() && i < 3; ++i) {
    if (hook.arguments[i].starts_with('-')) break;
    text += " " + hook.arguments[i];
  }
  return fmt::format("`{}` of `{}`", hook.name, text);
}

}  // namespace slipway::cdi
