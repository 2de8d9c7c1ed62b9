/// The package indexes as this machine and the project are configured to reach them: `config.toml`
/// first, then slipway.toml, then the host's own pip, uv and apt configuration.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/client.h"
#include "index/debian_sources.h"
#include "index/simple_index.h"
#include "plan/tools.h"
#include "spec/project.h"

namespace slipway::plan {

/// The machine's own index, as locks call it.
inline constexpr const char* kDefaultIndex = "pypi";
/// PyTorch's own index, a folder for each CUDA: used where config.toml says where it is.
inline constexpr const char* kPytorchIndex = "pytorch";

/// An index that may have a package.
struct PackageHome {
  index::SimpleIndex* index = nullptr;
  /// The CUDA of a folder of a per-CUDA index ("cu126", "cpu"): only files whose local version says
  /// so are taken from it. Empty: every file.
  std::string build;
};

/// Little: for what can be done without. One attempt, and a few seconds for a connection.
enum class Patience { Usual, Little };

class Indexes {
 public:
  /// `indexes` are those of slipway.toml. Makes an HTTP client; nothing is asked of the network
  /// yet. Fails with InvalidInput for an index without a url.
  static Result<Indexes> open(const Tools& tools, index::Freshness freshness,
                              std::vector<spec::PythonIndex> indexes = {},
                              Patience patience = Patience::Usual);

  http::Client& client() { return *client_; }

  /// Where files of this package may come from, by the rules against dependency confusion
  /// (docs/formats/project.md): an index that the package is bound to, and no other; else the first
  /// that has it, of those that any package may come from, the machine's own last; and besides, for
  /// the packages that are built for each CUDA, the folders of per-CUDA indexes. May block: one
  /// request to each index that is asked before another.
  Result<std::vector<PackageHome>> homes(const version::PackageName& package);

  /// The same without asking: those whose page will be wanted.
  Result<std::vector<PackageHome>> possible_homes(const version::PackageName& package);

  /// By the name that a lock has for it: "pypi", "corp", "pytorch-cu126". NotFound where neither
  /// the machine nor the project says where it is.
  Result<index::SimpleIndex*> python(const std::string& name = kDefaultIndex);

  /// The suites of a Debian release, each with the url this machine uses.
  Result<std::vector<index::DebianSource>> debian(const std::string& release) const;
  /// These, each at the address that config.toml has for its name.
  std::vector<index::DebianSource> configured(std::vector<index::DebianSource> sources) const;

 private:
  explicit Indexes(const Tools& tools, index::Freshness freshness)
      : tools_(&tools), freshness_(freshness) {}

  Result<void> take_project_indexes(std::vector<spec::PythonIndex> indexes);
  Result<index::SimpleIndex*> make_index(const std::string& name, const std::string& url);
  Result<void> add_build_homes(const spec::PythonIndex& index, std::vector<PackageHome>& homes);
  const spec::PythonIndex* find_binding(const std::string& package) const;

  const Tools* tools_;
  index::Freshness freshness_;
  std::vector<spec::PythonIndex> declared_;  ///< each with a url
  std::unique_ptr<http::Client> client_;
  std::map<std::string, std::unique_ptr<index::SimpleIndex>> opened_;
};

}  // namespace slipway::plan
