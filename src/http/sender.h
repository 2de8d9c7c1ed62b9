/// Requests of any method, with bodies, whose every answer counts: what registries want.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/io.h"
#include "http/client.h"

namespace slipway::http {

struct Message {
  std::string method = "GET";
  std::string url{};
  std::vector<std::string> headers{};  ///< `Name: value`
  std::string text{};                  ///< the body, where there is no Source
  Source* body = nullptr;              ///< borrowed; must give `body_bytes`, and is read once
  std::uint64_t body_bytes = 0;
  std::uint64_t most_answer_bytes = 4 << 20;  ///< Corrupt beyond it
  /// Once cancelled, it has so long to end nonetheless.
  std::chrono::milliseconds grace{0};
};

/// Safe for several threads; each request blocks its own. Connections are kept and used again. No
/// password but the Authorization among `headers` is sent, and that only to the URL's own host.
class Sender {
 public:
  /// Takes the options of `client`, which need not outlive it.
  explicit Sender(const Client& client);
  Sender(Sender&&) noexcept;
  ~Sender();

  /// One attempt. An answer of any status is a Response; redirects are followed for GET and HEAD.
  /// Fails with Unavailable (the network), InvalidInput (no http URL), Cancelled, or as `body`
  /// does.
  Result<Response> send(const Message& message, const CancelToken& cancel) const;

  /// Tries again, with growing pauses, after trouble on the network, 408, 429 and 5xx; the last
  /// answer counts. For messages without a `body`.
  Result<Response> send_until_answered(const Message& message, const CancelToken& cancel) const;

  /// Waits as before attempt `attempts` + 1 (Retry-After of `response`, which may be null, counts).
  /// False when there were enough. Fails with Cancelled.
  Result<bool> pause(int attempts, const Response* response, const CancelToken& cancel) const;

  static bool is_worth_retrying(int status);

 private:
  struct Handles;
  std::shared_ptr<Client::Shared> shared_;
  std::unique_ptr<Handles> handles_;
};

}  // namespace slipway::http
