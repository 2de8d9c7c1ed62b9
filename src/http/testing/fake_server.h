/// A small HTTP/1.1 server on 127.0.0.1 and a port of the system's choice, for tests: real sockets,
/// programmed answers. A thread per connection; it ends with the object.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "base/unique_fd.h"

namespace slipway::http::testing {

struct FakeRequest {
  std::string method;
  std::string path;                            ///< with the query
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body{};                          ///< as far as it came
};

struct FakeResponse {
  int status = 200;
  std::vector<std::string> headers{};  ///< `Name: value`; Content-Length is added
  std::string body{};
  std::optional<std::size_t> cut_after{};   ///< body bytes after which the connection breaks
  std::optional<std::size_t> hold_after{};  ///< body bytes after which nothing more comes
  std::size_t piece_bytes = 0;              ///< sent in pieces of so many bytes; 0: at once
  bool drop = false;                        ///< no answer: the connection breaks
};

/// Answers `request` with `body` as a good server does: 206 and 416 for `Range` (with `If-Range`),
/// 304 for `If-None-Match`.
FakeResponse serve_bytes(const FakeRequest& request, std::string body, const std::string& etag);

class FakeServer {
 public:
  using Handler = std::function<FakeResponse(const FakeRequest&)>;

  /// Decides by the head how many bytes of a body are read before the connection breaks.
  using CutBody = std::function<std::optional<std::size_t>(const FakeRequest&)>;

  /// `handler` is called from many threads.
  static Result<std::unique_ptr<FakeServer>> start(Handler handler, int port = 0,
                                                   CutBody cut_body = {});
  ~FakeServer();

  std::string url() const;  ///< `http://127.0.0.1:port`
  std::vector<FakeRequest> requests();
  std::size_t connection_count() const { return connection_count_; }

 private:
  FakeServer(UniqueFd listener, int port, Handler handler, CutBody cut_body);
  void accept_all();
  void serve(int fd);
  bool answer(int fd, const FakeRequest& request);

  UniqueFd listener_;
  int port_;
  Handler handler_;
  CutBody cut_body_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> connection_count_ = 0;
  Guarded<std::vector<FakeRequest>> requests_;
  struct Connections {
    std::vector<UniqueFd> sockets;
    std::vector<std::thread> threads;
  };
  Guarded<Connections> connections_;
  std::thread accepter_;
};

}  // namespace slipway::http::testing
