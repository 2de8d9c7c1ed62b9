#include "plan/indexes.h"

#include <set>

namespace slipway::plan {
namespace {

const std::string* find_url(const spec::HostConfig& host, const std::string& index) {
  const auto found = host.indexes.find(index);
  return found == host.indexes.end() || found->second.url.empty() ? nullptr : &found->second.url;
}

}  // namespace

Result<Indexes> Indexes::open(const Tools& tools, index::Freshness freshness) {
  const index::HostNetwork network = TRY(index::read_host_network());
  http::ClientOptions options;
  options.ca_file = network.ca_file;
  options.proxy = network.proxy;
  Indexes indexes(tools, freshness);
  indexes.client_ = std::make_unique<http::Client>(TRY(http::Client::create(options)));
  return indexes;
}

Result<index::SimpleIndex*> Indexes::python() {
  if (!python_) {
    index::IndexConfig config{"pypi", ""};
    if (const std::string* url = find_url(tools_->host, "pypi")) {
      config.url = *url;
    } else {
      config = TRY(index::read_host_pypi_index());
    }
    python_ = std::make_unique<index::SimpleIndex>(config, *client_, tools_->cache_folder,
                                                   freshness_, tools_->cancel);
  }
  return python_.get();
}

Result<std::vector<index::DebianSource>> Indexes::debian(const std::string& release) const {
  std::vector<index::DebianSource> sources = TRY(index::read_host_debian_sources(release));
  for (index::DebianSource& source : sources) {
    if (const std::string* url = find_url(tools_->host, source.name)) source.url = *url;
  }
  return sources;
}

}  // namespace slipway::plan
