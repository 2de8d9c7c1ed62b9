#include "http/sender.h"

#include <curl/curl.h>

#include <algorithm>
#include <thread>

#include "http/content_range.h"
#include "http/failure.h"
#include "http/head.h"
#include "http/retry.h"
#include "http/shared.h"
#include "http/url.h"

namespace slipway::http {
namespace {

constexpr std::chrono::milliseconds kStep{50};

/// One request on its way, as libcurl's callbacks see it.
struct Flight {
  const Message& message;
  const CancelToken& cancel;
  BytesSource text{as_bytes(message.text)};
  Source& body = message.body != nullptr ? *message.body : text;
  std::uint64_t left_bytes = message.body != nullptr ? message.body_bytes : message.text.size();
  Head head{};
  std::string answer{};
  std::optional<Error> error{};  ///< of ours: it is why libcurl was told to stop
  std::optional<std::chrono::steady_clock::time_point> cancelled_at{};
};

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* user) {
  static_cast<Flight*>(user)->head.take_line({data, size * count});
  return size * count;
}

std::size_t take_answer(char* data, std::size_t size, std::size_t count, void* user) {
  auto& flight = *static_cast<Flight*>(user);
  if (flight.answer.size() + size * count > flight.message.most_answer_bytes) {
    flight.error =
        make_error(ErrorKind::Corrupt, "the answer of `{}` is larger than {} bytes",
                   without_credentials(flight.message.url), flight.message.most_answer_bytes);
    return 0;
  }
  flight.answer.append(data, size * count);
  return size * count;
}

std::size_t give_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& flight = *static_cast<Flight*>(user);
  const auto most =
      static_cast<std::size_t>(std::min<std::uint64_t>(size * count, flight.left_bytes));
  if (most == 0) return 0;
  auto got = flight.body.read({reinterpret_cast<std::byte*>(data), most});
  if (got.ok() && *got == 0) {
    got = make_error(ErrorKind::Corrupt, "what is sent to `{}` is shorter than it should be",
                     without_credentials(flight.message.url));
  }
  if (!got.ok()) {
    flight.error = std::move(got).error();
    return CURL_READFUNC_ABORT;
  }
  flight.left_bytes -= *got;
  return *got;
}

int look_for_cancel(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& flight = *static_cast<Flight*>(user);
  if (!flight.cancel.cancelled()) return 0;
  const auto now = std::chrono::steady_clock::now();
  if (!flight.cancelled_at) flight.cancelled_at = now;
  return now - *flight.cancelled_at >= flight.message.grace ? 1 : 0;
}

void set_method(CURL* handle, Flight& flight) {
  const std::string& method = flight.message.method;
  const bool only_reads = method == "GET" || method == "HEAD";
  if (method == "HEAD") curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, only_reads ? 1L : 0L);
  if (only_reads) return;
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
  if (method == "DELETE") return;
  curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, 1024L * 1024);
  curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(flight.left_bytes));
  curl_easy_setopt(handle, CURLOPT_READFUNCTION, give_body);
  curl_easy_setopt(handle, CURLOPT_READDATA, &flight);
}

}  // namespace

struct Sender::Handles {
  Guarded<std::vector<CURL*>> free;

  CURL* take() {
    CURL* handle = free.with([](auto& all) -> CURL* {
      if (all.empty()) return nullptr;
      CURL* last = all.back();
      all.pop_back();
      return last;
    });
    if (handle == nullptr) handle = curl_easy_init();
    SLIPWAY_CHECK(handle != nullptr);
    curl_easy_reset(handle);
    return handle;
  }
  void give_back(CURL* handle) {
    free.with([&](auto& all) { all.push_back(handle); });
  }
  ~Handles() {
    free.with([](auto& all) {
      for (CURL* handle : all) curl_easy_cleanup(handle);
    });
  }
};

Sender::Sender(const Client& client)
    : shared_(client.shared()), handles_(std::make_unique<Handles>()) {}
Sender::Sender(Sender&&) noexcept = default;
Sender::~Sender() = default;

Result<Response> Sender::send(const Message& message, const CancelToken& cancel) const {
  TRY(parse_url(message.url));
  TRY(cancel.check());
  Flight flight{message, cancel};
  std::string error_text(CURL_ERROR_SIZE, '\0');
  CURL* handle = handles_->take();
  set_shared_options(handle, *shared_);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error_text.data());
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &flight);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &flight);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_for_cancel);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &flight);
  set_method(handle, flight);
  curl_slist* headers = curl_slist_append(nullptr, "Expect:");  // no pause before a body
  for (const std::string& header : message.headers) {
    headers = curl_slist_append(headers, header.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_URL, message.url.c_str());
  const CURLcode code = curl_easy_perform(handle);
  const char* effective = nullptr;
  curl_easy_getinfo(handle, CURLINFO_EFFECTIVE_URL, &effective);
  Response response{flight.head.status, std::move(flight.answer), std::move(flight.head.headers),
                    without_credentials(effective == nullptr ? message.url : effective)};
  curl_slist_free_all(headers);
  handles_->give_back(handle);

  if (flight.error) return std::move(*flight.error);
  if (code == CURLE_OK && message.grace.count() > 0) return response;
  TRY(cancel.check());
  if (code == CURLE_OK) return response;
  return transfer_failure(code, error_text.c_str(), without_credentials(message.url)).error;
}

bool Sender::is_worth_retrying(int status) {
  return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

Result<bool> Sender::pause(int attempts, const Response* response,
                           const CancelToken& cancel) const {
  Failure failure{make_error(ErrorKind::Unavailable, "tried again"), true, {}};
  if (response != nullptr) {
    const auto seconds = parse_number(response->find_header("retry-after").value_or(""));
    if (seconds && *seconds < 1'000'000) failure.wait = std::chrono::seconds(*seconds);
  }
  const auto delay = next_delay(shared_->options, attempts, failure);
  if (!delay) return false;
  for (auto left = *delay; left.count() > 0; left -= kStep) {
    TRY(cancel.check());
    std::this_thread::sleep_for(std::min(left, kStep));
  }
  TRY(cancel.check());
  return true;
}

Result<Response> Sender::send_until_answered(const Message& message,
                                             const CancelToken& cancel) const {
  SLIPWAY_CHECK(message.body == nullptr);
  for (int attempts = 1;; ++attempts) {
    Result<Response> response = send(message, cancel);
    const bool is_trouble = response.ok() ? is_worth_retrying(response->status)
                                          : response.error().kind == ErrorKind::Unavailable;
    if (!is_trouble) return response;
    const Response* const answer = response.ok() ? &response.value() : nullptr;
    if (!TRY(pause(attempts, answer, cancel))) return response;
  }
}

}  // namespace slipway::http
