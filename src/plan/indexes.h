/// The package indexes as this machine is configured to reach them: `config.toml` first, then the
/// host's own pip, uv and apt configuration.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client.h"
#include "index/debian_sources.h"
#include "index/simple_index.h"
#include "plan/tools.h"

namespace slipway::plan {

class Indexes {
 public:
  /// Makes an HTTP client; nothing is asked of the network yet.
  static Result<Indexes> open(const Tools& tools, index::Freshness freshness);

  http::Client& client() { return *client_; }

  /// The Python index called "pypi". NotFound where the host names none.
  Result<index::SimpleIndex*> python();

  /// The suites of a Debian release, each with the url this machine uses.
  Result<std::vector<index::DebianSource>> debian(const std::string& release) const;

 private:
  explicit Indexes(const Tools& tools, index::Freshness freshness)
      : tools_(&tools), freshness_(freshness) {}

  const Tools* tools_;
  index::Freshness freshness_;
  std::unique_ptr<http::Client> client_;
  std::unique_ptr<index::SimpleIndex> python_;
};

}  // namespace slipway::plan
