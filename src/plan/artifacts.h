/// Wheels and Debian packages in the download cache: `<cache>/files/<sha256 hex>/<file name>`.
///
/// A lock says which bytes; where they come from does not matter, since the hash decides: the
/// cache, a bundle folder, the index, a snapshot archive, in that order.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "index/debian_sources.h"
#include "plan/tools.h"
#include "spec/lock.h"
#include "spec/project.h"

namespace slipway::plan {

class Indexes;

struct Artifact {
  enum class Kind { Wheel, Deb };
  Kind kind = Kind::Wheel;
  std::string label;    ///< "torch 2.6.0"
  std::string package;  ///< whose page of the index lists a wheel
  std::string index;    ///< its name in the lock
  std::string path;     ///< of a deb, below its archive
  std::string file_name;
  std::uint64_t size_bytes = 0;
  Digest sha256;
};

Artifact make_artifact(const spec::LockedWheel& wheel);
Artifact make_artifact(const spec::LockedDeb& deb);

/// Where the file is, or will be.
std::string cached_path(const Artifact& artifact, const Tools& tools);
/// There with the right size. Its bytes were checked on the way in, and are again when used.
bool is_cached(const Artifact& artifact, const Tools& tools);

/// Where the indexes are that a lock names, beyond what the machine's configuration knows.
struct Archives {
  std::string debian;                           ///< the release, for the archives' names
  std::vector<spec::PythonIndex> indexes = {};  ///< of slipway.toml
  /// Of a base image: where its packages come from. Asked once something is missing.
  std::function<Result<std::vector<index::DebianSource>>(const Indexes&)> of_base = {};
};

/// Brings all into the cache, several at a time.
/// Fails with NotFound, naming each file that is nowhere any more and what can be done; else as
/// http/download.h says. What arrived stays.
Result<void> fetch_artifacts(std::span<const Artifact> artifacts, const Archives& archives,
                             const Tools& tools);

}  // namespace slipway::plan
