/// HTTP(S) for the rest of Slipway: small answers in memory, many at once; files through
/// `download_all` of http/download.h.
///
/// One thread drives all requests of a Client (libcurl's multi interface), so that they share
/// connections and, where the server speaks HTTP/2, one connection. Proxies come from the
/// environment as curl(1) reads them (https_proxy, no_proxy, ...), certificates from SSL_CERT_FILE,
/// CURL_CA_BUNDLE, REQUESTS_CA_BUNDLE or PIP_CERT (the first that is set), passwords from the URL,
/// `add_credentials`, $NETRC or ~/.netrc. No password ever appears in an Error.
///
/// Failures, everywhere: NotFound for 404 and 410, Denied for 401 and 403, Unavailable for trouble
/// on the network, 429 and 5xx (after retries with growing pauses; Retry-After is honoured),
/// Cancelled, InvalidInput for what is no http(s) URL.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"

namespace slipway::http {

struct Header {
  std::string name;  ///< lower case
  std::string value;
};

struct Request {
  std::string url{};
  std::vector<std::string> headers{};            ///< `Name: value`
  std::uint64_t max_body_bytes = 512ULL << 20U;  ///< Corrupt beyond it, after decompression
  std::vector<CancelToken> cancel{};             ///< stops when any of them is set
};

struct Response {
  int status = 0;  ///< 2xx, or 304 when the request was conditional; all else is an Error
  std::string body{};
  std::vector<Header> headers;
  std::string effective_url;  ///< after redirects, without password

  /// The last header of that name (lower case).
  std::optional<std::string_view> find_header(std::string_view name) const;
};

struct RangeBody {
  std::string bytes;
  std::uint64_t first = 0;        ///< where in the file `bytes` begins
  std::uint64_t total_bytes = 0;  ///< of the whole file
};

enum class Certificates { Check, Ignore };  ///< Ignore: the user said that this server is fine

struct ClientOptions {
  std::string user_agent = "slipway";
  std::size_t connections_per_host = 6;
  int retries = 5;                                  ///< after the first attempt
  std::chrono::milliseconds first_delay{300};       ///< doubles with each retry
  std::chrono::milliseconds longest_delay{30'000};  ///< also bounds Retry-After
  std::chrono::seconds connect_timeout{20};
  std::chrono::seconds stall_timeout{60};  ///< less than one byte a second for so long
  std::string ca_file;                     ///< when the environment names none
  std::string proxy;                       ///< when the environment names none
  Certificates certificates = Certificates::Check;
};

class Client {
 public:
  static Result<Client> create(ClientOptions options = {});
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();  ///< outstanding requests end as Cancelled

  /// From now on requests to this origin (`https://host:port`; the rest of `url` is not looked at)
  /// carry a user and password. Redirects elsewhere do not.
  void add_credentials(std::string_view url, std::string user, std::string password);

  /// Blocks. Any number of threads may call it at once.
  Result<Response> get(const Request& request);
  /// Never blocks. `done` is called once, on the client's own thread: it must be quick.
  void get_async(Request request, std::function<void(Result<Response>)> done);

  /// The bytes from `first` to `last`, both included, or fewer at the end of the file. Fails with
  /// Unsupported when the server ignores ranges (nothing is downloaded then).
  Result<RangeBody> get_range(const Request& request, std::uint64_t first, std::uint64_t last);
  /// The last `count` bytes.
  Result<RangeBody> get_tail(const Request& request, std::uint64_t count);

  struct Shared;  // what downloads need too
  const std::shared_ptr<Shared>& shared() const { return shared_; }

 private:
  class Engine;
  enum class Expect { Whole, Part };  // Part: an answer of 200 is none
  explicit Client(ClientOptions options);
  Result<Response> wait(Request request, Expect expect);
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace slipway::http
