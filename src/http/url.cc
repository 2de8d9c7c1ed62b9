#include "http/url.h"

#include <algorithm>
#include <cctype>

namespace slipway::http {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view without_fragment(std::string_view url) { return url.substr(0, url.find('#')); }

/// "https" of "https:…"; empty where the text begins with no scheme.
std::string_view scheme_of(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  const auto is_part = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
  };
  const auto scheme = text.substr(0, colon);
  const bool starts_well = std::isalpha(static_cast<unsigned char>(scheme.front())) != 0;
  return starts_well && std::all_of(scheme.begin(), scheme.end(), is_part) ? scheme
                                                                           : std::string_view{};
}

/// RFC 3986, section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto end = path.find('/', 1);
    const auto segment = path.substr(0, end);
    const bool is_last = end == std::string_view::npos;
    path = is_last ? std::string_view{} : path.substr(end);
    if (segment == "/.") {
      if (is_last) out += '/';
    } else if (segment == "/..") {
      out.erase(std::min(out.rfind('/'), out.size()));
      if (is_last) out += '/';
    } else {
      out += segment;
    }
  }
  return out.empty() ? "/" : out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool has_bad_byte(std::string_view url) {
  return std::any_of(url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

}  // namespace

Result<UrlParts> parse_url(std::string_view url) {
  const auto bad = [&] {
    return make_error(ErrorKind::InvalidInput, "`{}` is no http or https URL",
                      without_credentials(url));
  };
  UrlParts parts;
  auto rest = without_fragment(url);
  parts.scheme = lower(scheme_of(rest));
  if ((parts.scheme != "http" && parts.scheme != "https") || has_bad_byte(rest)) return bad();
  rest.remove_prefix(parts.scheme.size() + 1);
  if (!rest.starts_with("//")) return bad();
  rest.remove_prefix(2);
  const auto path_at = std::min(rest.find_first_of("/?"), rest.size());
  auto authority = rest.substr(0, path_at);
  rest.remove_prefix(path_at);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    parts.user_info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  if (authority.empty()) return bad();
  parts.authority = lower(authority);
  const auto query_at = std::min(rest.find('?'), rest.size());
  parts.path = query_at == 0 ? "/" : rest.substr(0, query_at);
  parts.query = rest.substr(query_at);
  return parts;
}

Result<std::string> resolve_url(std::string_view base, std::string_view reference) {
  reference = without_fragment(reference);
  if (!scheme_of(reference).empty()) {
    const UrlParts parts = TRY(parse_url(reference));
    return parts.user_info.empty() ? std::string(reference) : without_credentials(reference);
  }
  const UrlParts from = TRY(parse_url(base));
  if (reference.starts_with("//")) {
    return resolve_url(base, from.scheme + ":" + std::string(reference));
  }
  const auto query_at = std::min(reference.find('?'), reference.size());
  const auto path = reference.substr(0, query_at);
  const auto query = reference.substr(query_at);
  const std::string root = from.scheme + "://" + from.authority;
  std::string out = root;
  if (path.empty()) {
    out += from.path;
    out += query.empty() ? from.query : query;
  } else if (path.front() == '/') {
    out += remove_dot_segments(path);
    out += query;
  } else {
    const auto folder = from.path.substr(0, from.path.rfind('/') + 1);
    out += remove_dot_segments(folder + std::string(path));
    out += query;
  }
  if (has_bad_byte(out)) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no usable URL", out);
  }
  return out;
}

std::string url_origin(const UrlParts& parts) {
  std::string_view authority = parts.authority;
  const std::string_view own_port = parts.scheme == "https" ? ":443" : ":80";
  if (authority.ends_with(own_port)) authority.remove_suffix(own_port.size());
  return parts.scheme + "://" + std::string(authority);
}

std::string without_credentials(std::string_view url) {
  const auto slashes = url.find("//");
  if (slashes == std::string_view::npos) return std::string(url);
  const auto start = slashes + 2;
  const auto end = std::min(url.find_first_of("/?#", start), url.size());
  const auto at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < start) return std::string(url);
  return std::string(url.substr(0, start)) + std::string(url.substr(at + 1));
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string url_file_name(std::string_view url) {
  url = without_fragment(url);
  url = url.substr(0, url.find('?'));
  const auto slash = url.rfind('/');
  return percent_decode(slash == std::string_view::npos ? url : url.substr(slash + 1));
}

}  // namespace slipway::http
