#include "http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <mutex>

#include "base/environment.h"
#include "base/file.h"
#include "http/content_range.h"
#include "http/engine.h"
#include "http/shared.h"
#include "http/url.h"

namespace slipway::http {
namespace {

void start_libcurl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

/// The certificates that the environment names: the same variables as curl(1), pip and uv read.
std::string find_ca_file() {
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "PIP_CERT"}) {
    if (auto path = find_environment(name); path && path_exists(*path)) return *path;
  }
  return {};
}

/// Where other distributions than the one that libcurl was made for keep them; empty: ask libcurl.
std::string find_other_ca_file() {
  if (path_exists("/etc/ssl/certs/ca-certificates.crt")) return {};
  for (const char* path :
       {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (path_exists(path)) return path;
  }
  return {};
}

bool environment_names_proxy() {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"}) {
    if (find_environment(name)) return true;
  }
  return false;
}

Result<RangeBody> read_range(Response response) {
  const auto range = parse_content_range(response.find_header("content-range").value_or(""));
  if (!range || range->last - range->first + 1 != response.body.size()) {
    return make_error(ErrorKind::Unsupported, "`{}` answered a range without saying which",
                      response.effective_url);
  }
  return RangeBody{std::move(response.body), range->first, range->total_bytes};
}

}  // namespace

std::optional<std::string_view> Response::find_header(std::string_view name) const {
  const auto is_named = [&](const Header& header) { return header.name == name; };
  const auto found = std::find_if(headers.rbegin(), headers.rend(), is_named);
  if (found == headers.rend()) return std::nullopt;
  return found->value;
}

Result<Client> Client::create(ClientOptions options) {
  start_libcurl();
  return Client(std::move(options));
}

Client::Client(ClientOptions options) : shared_(std::make_shared<Shared>()) {
  if (environment_names_proxy()) options.proxy.clear();
  shared_->ca_file = find_ca_file();
  if (shared_->ca_file.empty()) shared_->ca_file = options.ca_file;
  if (shared_->ca_file.empty()) shared_->ca_file = find_other_ca_file();
  shared_->netrc_file = find_environment("NETRC").value_or("");
  shared_->options = std::move(options);
  engine_ = std::make_unique<Engine>(shared_);
}

Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

void Client::add_credentials(std::string_view url, std::string user, std::string password) {
  const auto parts = parse_url(url);
  if (!parts.ok()) return;
  shared_->credentials.with([&](auto& known) {
    known[url_origin(parts.value())] = Credentials{std::move(user), std::move(password)};
  });
}

void Client::get_async(Request request, std::function<void(Result<Response>)> done) {
  engine_->submit(std::move(request), Expect::Whole, std::move(done));
}

Result<Response> Client::wait(Request request, Expect expect) {
  // Shared: `set_value` may still be at work when `get` has returned.
  auto promise = std::make_shared<std::promise<Result<Response>>>();
  auto future = promise->get_future();
  engine_->submit(std::move(request), expect,
                  [promise](Result<Response> result) { promise->set_value(std::move(result)); });
  return future.get();
}

Result<Response> Client::get(const Request& request) { return wait(request, Expect::Whole); }

Result<RangeBody> Client::get_range(const Request& request, std::uint64_t first,
                                    std::uint64_t last) {
  Request ranged = request;
  ranged.headers.push_back(fmt::format("Range: bytes={}-{}", first, last));
  ranged.max_body_bytes = std::min(ranged.max_body_bytes, last - first + 1);
  Response response = TRY(wait(std::move(ranged), Expect::Part));
  return read_range(std::move(response));
}

Result<RangeBody> Client::get_tail(const Request& request, std::uint64_t count) {
  Request ranged = request;
  ranged.headers.push_back(fmt::format("Range: bytes=-{}", count));
  ranged.max_body_bytes = std::min(ranged.max_body_bytes, count);
  Response response = TRY(wait(std::move(ranged), Expect::Part));
  return read_range(std::move(response));
}

}  // namespace slipway::http
