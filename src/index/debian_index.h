/// What Debian offers for one release and architecture, and which packages a base needs.
///
/// Every suite's InRelease is checked with gpgv against the keyring of its source, for its dates
/// and for being the suite that was asked for; the Packages files are checked by the SHA-256 values
/// in it (DebianRepository/Format). What was verified is kept under `<cache>/debian/`:
///
///   packages/<sha256 hex>     a Packages.xz or Packages.gz as the archive served it
///   solv/<key hex>.solv       the same, parsed, in libsolv's format
///   release/<sha256 of url>   the last InRelease, with its ETag: asked for again, not fetched
///   again
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/reporter.h"
#include "index/debian_sources.h"

namespace slipway::http {
class Client;
}

namespace slipway::index {

/// One package file of the archive.
struct DebFile {
  std::string package;
  std::string version;
  std::string architecture;  ///< "amd64" or "all"
  std::string index;         ///< DebianSource::name
  std::string path;          ///< below the archive's url: `pool/…`
  std::string file_name;
  std::uint64_t size_bytes = 0;
  Digest sha256;
  bool is_always = false;              ///< essential, or of priority `required`
  std::vector<std::string> asked_as;   ///< the names in the request for which it was taken
  std::vector<std::string> needed_by;  ///< packages of the same solution; sorted
  std::string upgrades;                ///< the installed version that it replaces; or empty
  bool operator==(const DebFile&) const = default;
};

/// A version that an old lock holds: kept where it still exists and fits.
struct DebPreference {
  std::string package;
  std::string version;
};

/// Debian's name for a machine: "x86_64" is "amd64". Fails with Unsupported for an unknown one.
Result<std::string> debian_architecture(std::string_view machine);

class DebianIndex {
 public:
  /// Blocks on the network. `release` is what the suites begin with; empty where they are none of
  /// one release. `architecture` is Debian's ("amd64"). Fails with Unavailable when an
  /// archive does not answer, Corrupt when a signature, a date, a suite or a hash is wrong.
  static Result<DebianIndex> fetch(std::span<const DebianSource> sources, std::string_view release,
                                   std::string_view architecture, http::Client& client,
                                   const std::string& cache_folder, Reporter& reporter,
                                   const CancelToken& cancel);

  DebianIndex(DebianIndex&&) noexcept;
  DebianIndex& operator=(DebianIndex&&) noexcept;
  ~DebianIndex();

  /// From now on the packages of dpkg's status file (`text`) are installed, and `solve` adds to
  /// them. Those of other architectures are passed over. Fails with Corrupt for bad relations.
  Result<void> add_installed(std::string_view text);

  /// The essential packages, those of priority `required`, `packages` and all that they depend on
  /// (no Recommends), sorted by name. Each is the highest version of all suites unless
  /// `preferences` or a dependency says otherwise. Fails with InvalidInput for names that no suite
  /// has (with the nearest that are there), Unsolvable when the wishes contradict each other. One
  /// thread at a time.
  ///
  /// Where packages are installed: what `apt-get install --no-install-recommends` would add to them
  /// for `packages` alone. An installed one is upgraded where it is asked for by name or a
  /// dependency wants it, and none is removed: that is Unsolvable. With an apt since 2.5.2
  /// installed it is also upgraded with a package of the same source that is added.
  Result<std::vector<DebFile>> solve(std::span<const std::string> packages,
                                     std::span<const DebPreference> preferences);

 private:
  struct State;
  explicit DebianIndex(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::index
