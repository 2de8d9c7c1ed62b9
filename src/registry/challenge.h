/// `WWW-Authenticate` (RFC 9110, section 11.6.1), as registries write it. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::registry {

struct Challenge {
  std::string scheme;                             ///< lower case: `bearer`, `basic`
  std::map<std::string, std::string> parameters;  ///< names in lower case
  bool operator==(const Challenge&) const = default;
};

/// All challenges of one header, in order. What cannot be read ends the list.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace slipway::registry
