/// registries.conf, version 2 (containers-registries.conf(5)): what Podman, skopeo and buildah know
/// of registries. Pure.
///
/// Read are `unqualified-search-registries`, `[aliases]`, and of each `[[registry]]` its `prefix`,
/// `location`, `insecure` and `blocked`; the rest, mirrors among it, is passed over.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::spec {

enum class Insecure { No, Yes };
enum class Blocked { No, Yes };

struct KnownRegistry {
  std::string prefix;    ///< `host`, `host/path`, or `*.domain`
  std::string location;  ///< what takes its place; empty: nothing does
  Insecure insecure = Insecure::No;
  Blocked blocked = Blocked::No;
  bool operator==(const KnownRegistry&) const = default;
};

struct RegistriesConf {
  std::vector<std::string> search;             ///< where names without a host are
  std::map<std::string, std::string> aliases;  ///< short name -> whole name, without a tag
  std::vector<KnownRegistry> registries;
  bool operator==(const RegistriesConf&) const = default;

  /// A drop-in file: what it says counts over what was said before.
  void merge(const RegistriesConf& other);
  /// The entry with the longest prefix of `host/repository`.
  const KnownRegistry* find(std::string_view whole_name) const;
};

/// Fails with InvalidInput.
Result<RegistriesConf> parse_registries_conf(std::string_view text, std::string_view file_name);

/// What comes of `whole_name` under an entry that `find` gave: its prefix replaced by its location.
std::string relocate(const KnownRegistry& registry, std::string_view whole_name);

}  // namespace slipway::spec
