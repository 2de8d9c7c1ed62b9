#include "http/lane.h"

#include <curl/curl.h>

#include <algorithm>

namespace slipway::http {

Lane::Lane(const std::shared_ptr<Client::Shared>& shared)
    : multi_(curl_multi_init()), exchange_(shared) {
  SLIPWAY_CHECK(multi_ != nullptr);
}

Lane::~Lane() { curl_multi_cleanup(multi_); }

std::optional<Failure> Lane::perform(std::span<const CancelToken> cancel) {
  curl_multi_add_handle(multi_, exchange_.handle());
  const auto is_cancelled = [&] {
    return std::any_of(cancel.begin(), cancel.end(),
                       [](const CancelToken& token) { return token.cancelled(); });
  };
  int running = 1;
  bool stopped = false;
  while (running > 0 && !stopped) {
    curl_multi_perform(multi_, &running);
    stopped = is_cancelled();
    if (running > 0 && !stopped) curl_multi_poll(multi_, nullptr, 0, 100, nullptr);
  }
  CURLcode code = CURLE_OK;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  curl_multi_remove_handle(multi_, exchange_.handle());
  if (running > 0) {
    return Failure{make_error(ErrorKind::Cancelled, "stopped on request"), false, {}};
  }
  return exchange_.finish(code);
}

}  // namespace slipway::http
