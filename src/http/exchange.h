/// One request and its answer on one libcurl handle. Internal to http.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/io.h"
#include "http/client.h"
#include "http/failure.h"
#include "http/head.h"

namespace slipway::http {

enum class Purpose {
  Answer,  ///< small: compressed on the way, HTTP/2 shared with others
  File,    ///< large: as it is, on a connection of its own
};

class Exchange {
 public:
  /// Both are called on the thread that drives the handle; an Error ends the transfer. `on_head`
  /// comes once, before the body and only for an answer below 400.
  using OnHead = std::function<Result<void>(const Head&)>;
  using OnBody = std::function<Result<void>(Bytes)>;

  explicit Exchange(std::shared_ptr<Client::Shared> shared);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  Result<void> prepare(const std::string& url, const std::vector<std::string>& headers,
                       Purpose purpose, OnHead on_head, OnBody on_body);
  /// The CURL*, to be driven by a multi handle.
  void* handle() const { return handle_; }
  const Head& head() const { return head_; }
  std::string effective_url() const;
  /// What became of it, given the CURLcode with which the transfer ended.
  std::optional<Failure> finish(int curl_code);

  // Called by libcurl.
  std::size_t take_header(std::string_view line);
  std::size_t take_body(Bytes bytes);

 private:
  void set_common_options();
  void set_purpose(Purpose purpose);
  void set_credentials(const std::string& url);
  Result<void> announce_head();

  std::shared_ptr<Client::Shared> shared_;
  void* handle_;
  void* header_list_ = nullptr;
  OnHead on_head_;
  OnBody on_body_;
  std::string url_;  // without password
  Head head_;
  bool is_announced_ = false;
  std::size_t swallowed_bytes_ = 0;
  std::optional<Error> aborted_;
  std::string error_buffer_;
};

}  // namespace slipway::http
