#include "http/exchange.h"

#include <curl/curl.h>

#include "http/shared.h"
#include "http/url.h"

namespace slipway::http {
namespace {

// The body of an error is drained up to here, so that the connection can be used again.
constexpr std::size_t kSwallowBytes = 64U << 10U;

std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* user) {
  return static_cast<Exchange*>(user)->take_header({data, size * count});
}

std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* user) {
  return static_cast<Exchange*>(user)->take_body(as_bytes({data, size * count}));
}

}  // namespace

Exchange::Exchange(std::shared_ptr<Client::Shared> shared)
    : shared_(std::move(shared)), handle_(curl_easy_init()), error_buffer_(CURL_ERROR_SIZE, '\0') {
  SLIPWAY_CHECK(handle_ != nullptr);
}

Exchange::~Exchange() {
  curl_easy_cleanup(handle_);
  curl_slist_free_all(static_cast<curl_slist*>(header_list_));
}

void Exchange::set_common_options() {
  set_shared_options(handle_, *shared_);
  curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, error_buffer_.data());
  curl_easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  if (!shared_->netrc_file.empty()) {
    curl_easy_setopt(handle_, CURLOPT_NETRC_FILE, shared_->netrc_file.c_str());
  }
  curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, header_callback);
  curl_easy_setopt(handle_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, body_callback);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle_, CURLOPT_PRIVATE, this);
}

void Exchange::set_purpose(Purpose purpose) {
  if (purpose == Purpose::Answer) {
    curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(handle_, CURLOPT_PIPEWAIT, 1L);
  } else {
    // One stream on one connection: HTTP/2 framing would only cost.
    curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(handle_, CURLOPT_BUFFERSIZE, 512L * 1024);
  }
}

void Exchange::set_credentials(const std::string& url) {
  const auto parts = parse_url(url);
  if (!parts.ok() || !parts.value().user_info.empty()) return;  // libcurl takes those of the URL
  const std::string origin = url_origin(parts.value());
  shared_->credentials.with([&](const auto& known) {
    const auto found = known.find(origin);
    if (found == known.end()) return;
    curl_easy_setopt(handle_, CURLOPT_USERNAME, found->second.user.c_str());
    curl_easy_setopt(handle_, CURLOPT_PASSWORD, found->second.password.c_str());
  });
}

Result<void> Exchange::prepare(const std::string& url, const std::vector<std::string>& headers,
                               Purpose purpose, OnHead on_head, OnBody on_body) {
  TRY(parse_url(url));
  curl_easy_reset(handle_);
  curl_slist_free_all(static_cast<curl_slist*>(header_list_));
  header_list_ = nullptr;
  head_ = {};
  aborted_.reset();
  is_announced_ = false;
  swallowed_bytes_ = 0;
  error_buffer_.assign(CURL_ERROR_SIZE, '\0');
  url_ = without_credentials(url);
  on_head_ = std::move(on_head);
  on_body_ = std::move(on_body);
  set_common_options();
  set_purpose(purpose);
  set_credentials(url);
  bool is_range = false;
  for (const std::string& header : headers) {
    header_list_ = curl_slist_append(static_cast<curl_slist*>(header_list_), header.c_str());
    is_range = is_range || header.starts_with("Range:");
  }
  // A range of a compressed body would be a range of something else.
  if (purpose == Purpose::Answer && !is_range) {
    curl_easy_setopt(handle_, CURLOPT_ACCEPT_ENCODING, "");
  }
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(header_list_));
  curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
  return {};
}

std::size_t Exchange::take_header(std::string_view line) {
  head_.take_line(line);
  return line.size();
}

Result<void> Exchange::announce_head() {
  if (is_announced_) return {};
  is_announced_ = true;
  return on_head_ ? on_head_(head_) : Result<void>();
}

std::size_t Exchange::take_body(Bytes bytes) {
  if (head_.status >= 400) {
    swallowed_bytes_ += bytes.size();
    return swallowed_bytes_ > kSwallowBytes ? 0 : bytes.size();
  }
  Result<void> taken = announce_head();
  if (taken.ok()) taken = on_body_(bytes);
  if (taken.ok()) return bytes.size();
  aborted_ = taken.error();
  return 0;
}

std::string Exchange::effective_url() const {
  const char* url = nullptr;
  curl_easy_getinfo(handle_, CURLINFO_EFFECTIVE_URL, &url);
  return url == nullptr ? url_ : without_credentials(url);
}

std::optional<Failure> Exchange::finish(int curl_code) {
  const auto code = static_cast<CURLcode>(curl_code);
  if (aborted_) return Failure{std::move(*aborted_), {}, {}};
  if (head_.status >= 400 && (code == CURLE_OK || code == CURLE_WRITE_ERROR)) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(handle_, CURLINFO_RETRY_AFTER, &seconds);
    return status_failure(head_.status, std::chrono::seconds(seconds), url_);
  }
  if (code != CURLE_OK) {
    return transfer_failure(curl_code, error_buffer_.c_str(), url_);
  }
  if (Result<void> announced = announce_head(); !announced.ok()) {
    return Failure{std::move(announced).error(), {}, {}};
  }
  return std::nullopt;
}

}  // namespace slipway::http
