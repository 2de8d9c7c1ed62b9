/// What the host's own pip and uv are configured to use, so that Slipway uses the same.
///
/// Read in this order, the first that says something wins:
///   PIP_INDEX_URL, UV_DEFAULT_INDEX, UV_INDEX_URL           (environment)
///   pip: $PIP_CONFIG_FILE, the user's files, the site's, the global one, `index-url` in [install]
///        before [global] (pip documentation, "Configuration"); virtual environment: $VIRTUAL_ENV
///   uv:  uv.toml of the user, then of the system: `[[index]] default = true`, `index-url`
///        (uv documentation, "Configuration files")
///   the default of the pip that was installed when Slipway was configured for building
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::index {

struct IndexConfig {
  std::string name;  ///< "pypi": what the lock says
  std::string url;   ///< of the simple API; may hold user and password: never show it as it is
};

/// Fails with NotFound, and says what to set, where nothing says which index to use.
Result<IndexConfig> read_host_pypi_index();

/// Certificates and proxy that pip is configured with, for http::ClientOptions. Empty: none.
struct HostNetwork {
  std::string ca_file;
  std::string proxy;
};
Result<HostNetwork> read_host_network();

/// A pip.conf as `section.key` lookups (configparser syntax, as far as pip files use it). Pure.
class PipFile {
 public:
  static PipFile parse(std::string_view text);
  std::optional<std::string> find(std::string_view section, std::string_view key) const;

 private:
  struct Item {
    std::string section, key, value;
  };
  std::vector<Item> items_;
};

/// The default index of a uv.toml; nothing when it names none. Pure. Fails with InvalidInput.
Result<std::optional<std::string>> parse_uv_default_index(std::string_view text);

}  // namespace slipway::index
