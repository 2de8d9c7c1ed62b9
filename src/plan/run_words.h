/// The values of `run`'s flags, as Docker writes them. Pure but for the files they name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "run/container.h"

namespace slipway::plan {

/// `source:target[:ro]`; a relative source is relative to `folder`. Fails with InvalidInput,
/// NotFound, Denied (a folder that would hand over more than anybody means to).
Result<run::Volume> parse_volume(const std::string& text, const std::string& folder,
                                 const std::string& store_folder);

/// `/path[:size=64m,mode=1777,…]`.
Result<run::Tmpfs> parse_tmpfs(const std::string& text);

/// `/dev/x[:/dev/y[:rwm]]`.
Result<run::DeviceWish> parse_device(const std::string& text);

/// `nofile=1024[:2048]`; -1 or `unlimited` for no limit.
Result<run::ResourceLimit> parse_ulimit(const std::string& text);

/// `name[=value]`.
std::pair<std::string, std::string> parse_label(const std::string& text);

/// Sets `NAME=value`: the later value wins, the order of first appearance stays.
void set_variable(std::vector<std::string>& environment, const std::string& variable);

/// Lines of `NAME=value`, or `NAME` to pass ours on; comments begin with `#`.
Result<std::vector<std::string>> read_environment_file(const std::string& path);

}  // namespace slipway::plan
