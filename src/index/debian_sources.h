/// Where this machine takes Debian packages from.
///
/// The host's own apt configuration decides: one-line files (sources.list(5)) and deb822 files
/// (`*.sources`). Only archives that Debian's keys sign are taken, and only their `main`; what the
/// host does not name is filled in from the archive found when Slipway was configured for building.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::index {

/// One suite of one archive: `<url>/dists/<suite>/InRelease`, or `<url>/<suite>InRelease` of a flat
/// one.
struct DebianSource {
  std::string name;   ///< "debian" or "debian-security": what the lock names
  std::string url;    ///< of the archive, without a slash at the end
  std::string suite;  ///< "bookworm", "bookworm-updates"; of a flat archive "/", "./", "some/"
  std::vector<std::string> components;  ///< "main"; none: a flat archive (sources.list(5))
  std::string keyring;                  ///< path of the keyring that must have signed it
  bool operator==(const DebianSource&) const = default;
};

/// The keyring of the package debian-archive-keyring.
inline constexpr std::string_view kDebianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// An entry of apt's configuration, before it is known whether we want it.
struct AptEntry {
  std::string url;
  std::string suite;
  std::vector<std::string> components;
  /// Signed-By as it is: paths, fingerprints, or a key itself; empty where it is not given.
  std::string keyring;
  std::vector<std::string> architectures = {};  ///< none: all
  bool operator==(const AptEntry&) const = default;
};

/// Entries of type `deb` in a sources.list (one line each), flat archives too. Lines that apt would
/// refuse are skipped: this is the host's file, and no business of ours. Pure.
std::vector<AptEntry> parse_sources_list(std::string_view text);
/// The same for deb822 stanzas; `Enabled: no` is honoured. Pure.
std::vector<AptEntry> parse_sources_stanzas(std::string_view text);

/// The main archive, its updates and the security archive of `release`, picked from `entries`: an
/// entry of that very suite, else the same archive's entry for another release with the suite
/// replaced, else `defaults`. Suites found nowhere are left out. Pure.
std::vector<DebianSource> choose_debian_sources(std::string_view release,
                                                std::span<const AptEntry> entries,
                                                std::span<const AptEntry> defaults);

/// What this machine's /etc/apt says.
std::vector<AptEntry> read_host_apt_entries();

/// Reads /etc/apt. Fails with NotFound where neither the host nor the defaults name an archive.
Result<std::vector<DebianSource>> read_host_debian_sources(std::string_view release);

}  // namespace slipway::index
