/// What an image can be started as: its modes, by name. Those of slipway.toml, and the built-in
/// ones that they may take the place of: `shell`, and `notebook` where JupyterLab is in the lock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "spec/lock.h"
#include "spec/project.h"

namespace slipway::plan {

using Command = std::vector<std::string>;

inline constexpr const char* kNotebookMode = "notebook";
inline constexpr const char* kShellMode = "shell";

std::map<std::string, Command> image_modes(const spec::Project& project, const spec::Lock& lock);

/// The mode of a run that names no command: `image.default`, else the notebook, else the shell.
/// Fails with InvalidInput where `image.default` is no mode of this image.
Result<std::string> default_mode(const spec::Project& project, const spec::Lock& lock);

/// JupyterLab as the image's user. It listens on the container's port 8888, at every address of the
/// container, or at the one in SLIPWAY_LISTEN; without JUPYTER_TOKEN it makes up a token and says
/// it. It refuses to run as root by itself.
const Command& notebook_command();

}  // namespace slipway::plan
