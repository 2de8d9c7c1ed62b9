/// ~/.config/slipway/config.toml: where this machine finds what a lock names. Pure.
///
///   [index.pypi]
///   url = "https://mirror.example/simple"
///   [index.debian]
///   url = "https://mirror.example/debian"
///   snapshot = "https://snapshots.example/debian"     # or a list: asked in turn for lost files
///   [bundle]
///   folders = ["/srv/slipway-bundle", "~/bundle"]     # searched by sha256 before any index
///   [registry]
///   default = "registry.example/team"                 # where image names without a host are
///   insecure = ["lab.example:5000"]                   # spoken to without checked TLS
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::spec {

struct HostIndex {
  std::string url;  ///< http, https or file; no `/` at the end; empty: the host's default
  std::vector<std::string> snapshots;
  bool operator==(const HostIndex&) const = default;
};

struct HostConfig {
  std::map<std::string, HostIndex> indexes;  ///< by name: "pypi", "debian", "debian-security", ...
  std::vector<std::string> bundles;          ///< absolute, or `~/...` which the caller expands
  std::string default_registry;              ///< `host[:port][/path]`; may be empty
  std::vector<std::string> insecure_registries;
  bool operator==(const HostConfig&) const = default;
};

/// As strict as parse_project. Fails with InvalidInput.
Result<HostConfig> parse_host_config(std::string_view text, std::string_view file_name);

}  // namespace slipway::spec
