#include "plan/image_modes.h"

#include <algorithm>

#include "base/nearest.h"

namespace slipway::plan {
namespace {

/// A base image need not have bash, or any shell.
std::string shell_of(const spec::Lock& lock) {
  if (!lock.base || lock.base->shell == "/bin/bash") return "bash";
  return lock.base->shell.empty() ? "python" : "sh";
}

}  // namespace

const Command& notebook_command() {
  // A port that is taken is an error: the next one would lead nowhere.
  static const Command command{"sh", "-c",
                               "exec jupyter lab --no-browser --port=8888 "
                               "--ServerApp.port_retries=0 --ip=\"${SLIPWAY_LISTEN:-0.0.0.0}\" "
                               "\"$@\"",
                               kNotebookMode};
  return command;
}

std::map<std::string, Command> image_modes(const spec::Project& project, const spec::Lock& lock) {
  std::map<std::string, Command> modes{{kShellMode, {shell_of(lock)}}};
  const bool has_jupyter =
      std::any_of(lock.wheels.begin(), lock.wheels.end(),
                  [](const spec::LockedWheel& wheel) { return wheel.name == "jupyterlab"; });
  if (has_jupyter) modes[kNotebookMode] = notebook_command();
  for (const auto& [name, mode] : project.modes) modes[name] = mode.command;
  return modes;
}

Result<std::string> default_mode(const spec::Project& project, const spec::Lock& lock) {
  const std::map<std::string, Command> modes = image_modes(project, lock);
  const std::string& wanted = project.image.default_mode;
  if (wanted.empty())
    return std::string(modes.contains(kNotebookMode) ? kNotebookMode : kShellMode);
  if (modes.contains(wanted)) return wanted;
  Error error =
      make_error(ErrorKind::InvalidInput, "`image.default`: there is no mode `{}`", wanted);
  if (wanted == kNotebookMode) {
    error.hints.emplace_back("add `jupyterlab` to [python] packages");
    return error;
  }
  std::vector<std::string> names;
  for (const auto& [name, command] : modes) names.push_back(name);
  const auto nearest = find_nearest(wanted, names);
  error.hints.push_back(nearest.empty() ? fmt::format("there are `{}`", fmt::join(names, "`, `"))
                                        : did_you_mean(nearest));
  return error;
}

}  // namespace slipway::plan
