#include "plan/indexes.h"

#include <algorithm>
#include <set>

#include "base/environment.h"
#include "gpu/chain_tables.h"

namespace slipway::plan {
namespace {

const std::string* find_url(const spec::HostConfig& host, const std::string& index) {
  const auto found = host.indexes.find(index);
  return found == host.indexes.end() || found->second.url.empty() ? nullptr : &found->second.url;
}

bool is_bound(const spec::PythonIndex& index, std::string_view package) {
  return std::ranges::any_of(index.packages, [&](std::string_view pattern) {
    if (!pattern.ends_with('*')) return package == pattern;
    pattern.remove_suffix(1);
    return package.starts_with(pattern);
  });
}

/// Of the packages that PyTorch publishes once for each CUDA.
bool is_built_for_cuda(std::string_view package) {
  const auto& rows = gpu::compatibility_tables().companions;
  return package == "torch" || std::ranges::any_of(rows, [&](const gpu::Companion& row) {
           return row.package == package;
         });
}

/// SLIPWAY_INDEX_<NAME>_<what>, the name in capitals with `_` for all but letters and digits.
std::optional<std::string> find_secret(const std::string& index, const char* what) {
  std::string name = "SLIPWAY_INDEX_";
  for (const char c : index) {
    const bool is_lower = c >= 'a' && c <= 'z';
    const bool is_digit = c >= '0' && c <= '9';
    name += is_lower ? static_cast<char>(c - 'a' + 'A') : is_digit ? c : '_';
  }
  return find_environment((name + "_" + what).c_str());
}

}  // namespace

Result<Indexes> Indexes::open(const Tools& tools, index::Freshness freshness,
                              std::vector<spec::PythonIndex> indexes, Patience patience) {
  const index::HostNetwork network = TRY(index::read_host_network());
  http::ClientOptions options;
  options.ca_file = network.ca_file;
  options.proxy = network.proxy;
  if (patience == Patience::Little) {
    options.retries = 0;
    options.connect_timeout = std::chrono::seconds(5);
    options.stall_timeout = std::chrono::seconds(15);
  }
  Indexes opened(tools, freshness);
  opened.client_ = std::make_unique<http::Client>(TRY(http::Client::create(options)));
  TRY(opened.take_project_indexes(std::move(indexes)));
  return opened;
}

Result<void> Indexes::take_project_indexes(std::vector<spec::PythonIndex> indexes) {
  bool names_pytorch = false;
  for (spec::PythonIndex& index : indexes) {
    if (const std::string* url = find_url(tools_->host, index.name)) index.url = *url;
    if (index.url.empty()) {
      return make_error(ErrorKind::InvalidInput, "nothing says where the index `{}` is", index.name)
          .hint(fmt::format("add `url = \"...\"` to it in slipway.toml, or `[index.{}]` with a url "
                            "to config.toml",
                            index.name));
    }
    const auto user = find_secret(index.name, "USERNAME");
    const auto password = find_secret(index.name, "PASSWORD");
    if (user || password) {
      client_->add_credentials(index.url, user.value_or("__token__"), password.value_or(""));
    }
    names_pytorch = names_pytorch || index.name == kPytorchIndex;
    declared_.push_back(std::move(index));
  }
  const std::string* pytorch = find_url(tools_->host, kPytorchIndex);
  if (pytorch != nullptr && !names_pytorch) {
    declared_.push_back({kPytorchIndex, *pytorch, spec::PythonIndex::Kind::PerCuda, {}});
  }
  return {};
}

Result<index::SimpleIndex*> Indexes::make_index(const std::string& name, const std::string& url) {
  std::unique_ptr<index::SimpleIndex>& place = opened_[name];
  if (!place) {
    place = std::make_unique<index::SimpleIndex>(index::IndexConfig{name, url}, *client_,
                                                 tools_->cache_folder, freshness_, tools_->cancel);
  }
  return place.get();
}

Result<index::SimpleIndex*> Indexes::python(const std::string& name) {
  const auto opened = opened_.find(name);
  if (opened != opened_.end()) return opened->second.get();
  if (const std::string* url = find_url(tools_->host, name)) return make_index(name, *url);
  if (name == kDefaultIndex) return make_index(name, TRY(index::read_host_pypi_index()).url);
  for (const spec::PythonIndex& index : declared_) {
    const bool is_per_cuda = index.kind == spec::PythonIndex::Kind::PerCuda;
    if (!is_per_cuda && index.name == name) return make_index(name, index.url);
    if (is_per_cuda && name.starts_with(index.name + "-")) {
      return make_index(name, index.url + "/" + name.substr(index.name.size() + 1));
    }
  }
  return make_error(ErrorKind::NotFound, "nothing says where the index `{}` is", name)
      .hint(fmt::format("`[index.{}]` with a url in config.toml says it",
                        name.starts_with(std::string(kPytorchIndex) + "-") ? kPytorchIndex : name));
}

const spec::PythonIndex* Indexes::find_binding(const std::string& package) const {
  for (const spec::PythonIndex& index : declared_) {
    if (is_bound(index, package)) return &index;
  }
  return nullptr;
}

Result<void> Indexes::add_build_homes(const spec::PythonIndex& index,
                                      std::vector<PackageHome>& homes) {
  for (const std::string& build : gpu::published_builds(gpu::compatibility_tables())) {
    homes.push_back({TRY(python(index.name + "-" + build)), build});
  }
  return {};
}

Result<std::vector<PackageHome>> Indexes::possible_homes(const version::PackageName& package) {
  using Kind = spec::PythonIndex::Kind;
  std::vector<PackageHome> homes;
  if (const spec::PythonIndex* index = find_binding(package.text())) {
    if (index->kind == Kind::Simple) return std::vector{PackageHome{TRY(python(index->name)), ""}};
    TRY(add_build_homes(*index, homes));
    return homes;
  }
  for (const spec::PythonIndex& index : declared_) {
    const bool takes_all = index.kind == Kind::Simple && index.packages.empty();
    if (takes_all) homes.push_back({TRY(python(index.name)), ""});
  }
  homes.push_back({TRY(python()), ""});
  if (!is_built_for_cuda(package.text())) return homes;
  for (const spec::PythonIndex& index : declared_) {
    if (index.kind == Kind::PerCuda) TRY(add_build_homes(index, homes));
  }
  return homes;
}

Result<std::vector<PackageHome>> Indexes::homes(const version::PackageName& package) {
  std::vector<PackageHome> homes = TRY(possible_homes(package));
  const index::SimpleIndex* machine = TRY(python());
  if (find_binding(package.text()) != nullptr) return homes;
  while (homes.front().index != machine) {
    const Result<index::PagePointer> page = homes.front().index->fetch_project(package);
    if (page.ok()) return std::vector{homes.front()};
    if (page.error().kind != ErrorKind::NotFound) return page.error();
    homes.erase(homes.begin());
  }
  return homes;
}

Result<std::vector<index::DebianSource>> Indexes::debian(const std::string& release) const {
  return configured(TRY(index::read_host_debian_sources(release)));
}

std::vector<index::DebianSource> Indexes::configured(
    std::vector<index::DebianSource> sources) const {
  for (index::DebianSource& source : sources) {
    if (const std::string* url = find_url(tools_->host, source.name)) source.url = *url;
  }
  return sources;
}

}  // namespace slipway::plan
