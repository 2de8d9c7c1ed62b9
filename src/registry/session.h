/// Requests to one registry, by who we are there.
///
/// https, and http only where the registry is this machine's own (loopback) or the user said so.
/// Who asks for a token (`Bearer`) gets one, fetched once for each scope and again when it has run
/// out; `Basic` gets the login. A registry that keeps saying 401 is answered twice and then
/// believed. The login goes to the registry and to the token server that it names over https, never
/// along a redirect.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/threads.h"
#include "http/client.h"
#include "http/sender.h"
#include "registry/challenge.h"
#include "registry/docker_config.h"

namespace slipway::registry {

enum class Trust { Checked, Insecure };  ///< Insecure: http, or https with any certificate

struct Host {
  std::string name;  ///< `host` or `host:port`
  Trust trust = Trust::Checked;
  Login login;
};

/// What a token is good for: `repository:team/x:pull,push`.
using Scopes = std::vector<std::string>;

/// Safe for several threads.
class Session {
 public:
  /// Asks whether it is a registry at all. Fails with Unavailable, Denied, Unsupported.
  static Result<Session> open(const Host& host, http::ClientOptions options,
                              const CancelToken& cancel);

  /// `https://host/v2/` + `path`.
  std::string url(std::string_view path) const;
  /// A Location of this registry's, made whole.
  Result<std::string> resolve(std::string_view location) const;

  /// With the login's header where the URL is the registry's own. Repeats after trouble where the
  /// message has no `body`. Any answer but 401 is a Response; that is Denied.
  enum class Patience { Usual, Once };  ///< Once: trouble is an answer
  Result<http::Response> send(http::Message message, const Scopes& scopes,
                              const CancelToken& cancel, Patience patience = Patience::Usual);
  /// The header for downloads; nothing where none is asked for. `renew` after it was refused.
  enum class Renew { No, Yes };
  Result<std::optional<std::string>> authorization(const Scopes& scopes, Renew renew,
                                                   const CancelToken& cancel);

  /// Whether it is the registry's own scheme, host and port.
  bool is_own(std::string_view url) const;

  const std::string& host() const { return host_.name; }
  http::Client& client() { return client_; }
  const http::Sender& sender() const { return sender_; }

 private:
  struct Token {
    std::string text;
    std::chrono::steady_clock::time_point good_until;
  };
  struct State {
    std::optional<Challenge> challenge;
    std::map<std::string, Token> tokens;  ///< by the scopes, joined
  };

  Session(Host host, http::Client client)
      : host_(std::move(host)), client_(std::move(client)), sender_(client_) {}
  Result<void> learn(const http::Response& response);
  Result<Token> fetch_token(const Challenge& challenge, const Scopes& scopes,
                            const CancelToken& cancel);
  Result<http::Response> ask_token_server(const Challenge& challenge, const Scopes& scopes,
                                          const CancelToken& cancel);
  Error denied(std::string_view url) const;

  Host host_;
  std::string scheme_ = "https";
  http::Client client_;
  http::Sender sender_;
  std::unique_ptr<Guarded<State>> state_ = std::make_unique<Guarded<State>>();
};

/// Whether `host[:port]` is this machine by its very name: localhost, 127.0.0.0/8, [::1].
bool is_loopback(std::string_view host);

}  // namespace slipway::registry
