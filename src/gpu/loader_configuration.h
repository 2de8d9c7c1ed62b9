/// /etc/ld.so.conf, as ldconfig(8) reads it.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace slipway::gpu {

/// The folders that `/etc/ld.so.conf` names, with `include` patterns followed among `files` (image
/// path -> text), in order. Pure; circles end.
std::vector<std::string> read_configured_folders(const std::map<std::string, std::string>& files);

}  // namespace slipway::gpu
