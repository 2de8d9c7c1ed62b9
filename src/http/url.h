/// Just enough of RFC 3986 for package indexes. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::http {

struct UrlParts {
  std::string scheme;     ///< lower case
  std::string user_info;  ///< `user:password` as it stands, still percent-encoded
  std::string authority;  ///< `host` or `host:port`, lower case
  std::string path;       ///< with the leading slash; "/" when absent
  std::string query;      ///< with the question mark; empty when absent
};

/// Takes http and https URLs; drops the fragment. Fails with InvalidInput.
Result<UrlParts> parse_url(std::string_view url);

/// `reference` as seen from the page `base` (RFC 3986, section 5.2), without user, password and
/// fragment. Fails with InvalidInput when it leads to another scheme than http and https.
Result<std::string> resolve_url(std::string_view base, std::string_view reference);

/// `scheme://host:port`, with the scheme's own port left out.
std::string url_origin(const UrlParts& parts);

/// The same URL without user and password: what may be shown and stored.
std::string without_credentials(std::string_view url);

/// The last part of the path, percent-decoded: a file's name.
std::string url_file_name(std::string_view url);

std::string percent_decode(std::string_view text);

}  // namespace slipway::http
