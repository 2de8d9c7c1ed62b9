#include "http/failure.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>

namespace slipway::http {
namespace {

Error curl_error(CURLcode code, std::string_view detail, std::string_view url) {
  const std::string_view what = detail.empty()
                                    ? curl_easy_strerror(code)
                                    : detail.substr(0, detail.find_last_not_of(" \r\n") + 1);
  const auto plain = [&](ErrorKind kind) {
    return make_error(kind, "cannot fetch `{}`: {}", url, what);
  };
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return plain(ErrorKind::InvalidInput);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return plain(ErrorKind::Unavailable)
          .hint("if your network has its own certificate authority, set `SSL_CERT_FILE` to it");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return plain(ErrorKind::Unavailable)
          .hint("check the network, and `https_proxy` if this machine needs a proxy");
    default:
      return plain(ErrorKind::Unavailable);
  }
}

bool is_worth_retrying(CURLcode code) {
  constexpr std::array kFinal = {
      CURLE_URL_MALFORMAT,      CURLE_UNSUPPORTED_PROTOCOL, CURLE_PEER_FAILED_VERIFICATION,
      CURLE_SSL_CACERT_BADFILE, CURLE_TOO_MANY_REDIRECTS,   CURLE_OUT_OF_MEMORY};
  return std::find(kFinal.begin(), kFinal.end(), code) == kFinal.end();
}

}  // namespace

Failure status_failure(int status, std::chrono::seconds retry_after, std::string_view url) {
  const auto say = [&](ErrorKind kind, std::string_view meaning) {
    return make_error(kind, "`{}` answered {} ({})", url, status, meaning);
  };
  switch (status) {
    case 404:
    case 410:
      return {say(ErrorKind::NotFound, "not found"), {}, {}};
    case 401:
    case 407:
      return {say(ErrorKind::Denied, "it wants a user and password")
                  .hint("put them into ~/.netrc, or into the URL of the index"),
              {},
              {}};
    case 403:
      return {say(ErrorKind::Denied, "access is refused"), {}, {}};
    case 416:
      return {say(ErrorKind::Unsupported, "no such range"), {}, {}};
    default:
      break;
  }
  if (status < 500 && status != 429 && status != 408) {
    return {say(ErrorKind::Unavailable, "unexpected"), {}, {}};
  }
  const char* const meaning = status == 429 ? "too many requests" : "the server has trouble";
  Failure failure{say(ErrorKind::Unavailable, meaning), true, {}};
  if (retry_after.count() > 0) failure.wait = retry_after;
  return failure;
}

Failure transfer_failure(int curl_code, std::string_view detail, std::string_view url) {
  const auto code = static_cast<CURLcode>(curl_code);
  return {curl_error(code, detail, url), is_worth_retrying(code), {}};
}

}  // namespace slipway::http
