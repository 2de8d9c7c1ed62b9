#include "registry/session.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "http/url.h"

namespace slipway::registry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kUsualLife{60};  ///< where a token says nothing
constexpr std::chrono::seconds kMargin{10};
constexpr int kMostRefusals = 2;

std::string encode_url(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' || c == '~';
    out += is_plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string find_or_empty(const std::map<std::string, std::string>& map, const char* key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : found->second;
}

std::string basic(const Login& login) {
  return "Authorization: Basic " + encode_base64(login.user + ":" + login.password);
}

}  // namespace

bool is_loopback(std::string_view host) {
  if (host.starts_with("[::1]")) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" || (name.starts_with("127.") &&
                                 name.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::string Session::url(std::string_view path) const {
  return fmt::format("{}://{}/v2/{}", scheme_, host_.name, path);
}

Result<std::string> Session::resolve(std::string_view location) const {
  return http::resolve_url(url(""), location);
}

bool Session::is_own(std::string_view address) const {
  const auto parts = http::parse_url(address);
  const auto own = http::parse_url(url(""));
  return parts.ok() && own.ok() && http::url_origin(*parts) == http::url_origin(*own);
}

Error Session::denied(std::string_view address) const {
  return make_error(ErrorKind::Denied, "`{}` refuses access to `{}`", host_.name,
                    http::without_credentials(address))
      .hint(host_.login.empty()
                ? fmt::format(
                      "log in: `docker login {0}` or `podman login {0}` write what slipway reads",
                      host_.name)
                : fmt::format("the login for `{}` may lack the right, or be out of date",
                              host_.name));
}

Result<Session> Session::open(const Host& host, http::ClientOptions options,
                              const CancelToken& cancel) {
  const bool is_ours = is_loopback(host.name);
  if (host.trust == Trust::Insecure) options.certificates = http::Certificates::Ignore;
  Session session(host, TRY(http::Client::create(std::move(options))));
  // On this machine there is nobody to hide from, and a TLS handshake with a server that speaks
  // plain HTTP may wait for its time-out; elsewhere the safe way comes first.
  std::vector<std::string> schemes = {"https"};
  if (is_ours) schemes = {"http", "https"};
  if (!is_ours && host.trust == Trust::Insecure) schemes = {"https", "http"};
  Result<http::Response> answer = make_error(ErrorKind::Unavailable, "not asked yet");
  std::optional<Error> trouble;  // of the scheme that comes first
  for (const std::string& scheme : schemes) {
    session.scheme_ = scheme;
    const http::Message ping{"GET", session.url("")};
    const bool is_last = scheme == schemes.back();
    answer = is_last ? session.sender_.send_until_answered(ping, cancel)
                     : session.sender_.send(ping, cancel);
    const bool is_other_scheme = answer.ok() ? scheme == "http" && answer->status == 400
                                             : answer.error().kind == ErrorKind::Unavailable;
    if (!is_other_scheme) break;
    if (!answer.ok() && !is_last) trouble = answer.error();
  }
  if (!answer.ok() && trouble && answer.error().kind == ErrorKind::Unavailable) {
    answer = std::move(*trouble).reason(
        fmt::format("by {} it fails too: {}", session.scheme_, answer.error().message));
  }
  const http::Response response =
      TRY_WHILE(fmt::format("reaching the registry `{}`", host.name), std::move(answer));
  if (response.status == 401) {
    TRY(session.learn(response));
  } else if (response.status == 404) {
    return make_error(ErrorKind::Unsupported, "`{}` is no registry: it knows no `/v2/`", host.name);
  } else if (response.status >= 300) {
    return make_error(http::Sender::is_worth_retrying(response.status) ? ErrorKind::Unavailable
                                                                       : ErrorKind::Denied,
                      "the registry `{}` answers {}", host.name, response.status);
  }
  return session;
}

Result<void> Session::learn(const http::Response& response) {
  std::optional<Challenge> best;
  for (const http::Header& header : response.headers) {
    if (header.name != "www-authenticate") continue;
    for (Challenge& challenge : parse_challenges(header.value)) {
      const bool is_known = challenge.scheme == "bearer" || challenge.scheme == "basic";
      if (is_known && (!best || challenge.scheme == "bearer")) best = std::move(challenge);
    }
  }
  if (!best) {
    return make_error(ErrorKind::Unsupported,
                      "`{}` asks for a login in a way that is not known here", host_.name);
  }
  state_->with([&](State& state) { state.challenge = std::move(best); });
  return {};
}

Result<http::Response> Session::ask_token_server(const Challenge& challenge, const Scopes& scopes,
                                                 const CancelToken& cancel) {
  const std::string realm = find_or_empty(challenge.parameters, "realm");
  const std::string service = find_or_empty(challenge.parameters, "service");
  const auto parts = http::parse_url(realm);
  // Where the registry itself is spoken to in the clear, its token server may be: on this machine,
  // or by the user's word.
  const bool is_private =
      parts.ok() && (parts->scheme == "https" || host_.trust == Trust::Insecure ||
                     (scheme_ == "http" && is_loopback(parts->authority)));
  if (!is_private) {
    return make_error(ErrorKind::Denied, "`{}` sends us for a token to `{}`, which is not https",
                      host_.name, realm);
  }
  http::Message message;
  if (!host_.login.identity_token.empty()) {
    message.method = "POST";
    message.url = realm;
    message.headers = {"Content-Type: application/x-www-form-urlencoded"};
    message.text = fmt::format(
        "grant_type=refresh_token&client_id=slipway&service={}&scope={}"
        "&refresh_token={}",
        encode_url(service), encode_url(fmt::format("{}", fmt::join(scopes, " "))),
        encode_url(host_.login.identity_token));
  } else {
    message.url =
        fmt::format("{}{}service={}", realm, parts->query.empty() ? "?" : "&", encode_url(service));
    for (const std::string& scope : scopes) message.url += "&scope=" + encode_url(scope);
    if (!host_.login.empty()) message.headers = {basic(host_.login)};
  }
  return sender_.send_until_answered(message, cancel);
}

Result<Session::Token> Session::fetch_token(const Challenge& challenge, const Scopes& scopes,
                                            const CancelToken& cancel) {
  const http::Response response = TRY_WHILE(fmt::format("fetching a token for `{}`", host_.name),
                                            ask_token_server(challenge, scopes, cancel));
  if (response.status == 401 || response.status == 403) {
    return denied(scopes.empty() ? url("") : scopes.front());
  }
  if (response.status != 200) {
    return make_error(http::Sender::is_worth_retrying(response.status) ? ErrorKind::Unavailable
                                                                       : ErrorKind::Denied,
                      "the token server of `{}` answers {}", host_.name, response.status);
  }
  const auto answer = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  Token token;
  std::chrono::seconds life = kUsualLife;
  if (answer.is_object()) {
    for (const char* key : {"token", "access_token"}) {
      if (answer.contains(key) && answer[key].is_string())
        token.text = answer[key].get<std::string>();
    }
    if (answer.contains("expires_in") && answer["expires_in"].is_number_unsigned()) {
      const auto seconds = answer["expires_in"].get<std::uint64_t>();
      life = std::max(life, std::chrono::seconds(std::min<std::uint64_t>(seconds, 86'400)));
    }
  }
  const bool is_word = !token.text.empty() && std::ranges::all_of(token.text, [](char c) {
    return c > ' ' && c < '\x7f';
  });
  if (!is_word) {
    return make_error(ErrorKind::Corrupt, "the token server of `{}` gives no token", host_.name);
  }
  token.good_until = Clock::now() + life - kMargin;
  return token;
}

Result<std::optional<std::string>> Session::authorization(const Scopes& scopes, Renew renew,
                                                          const CancelToken& cancel) {
  const std::string key = fmt::format("{}", fmt::join(scopes, " "));
  std::optional<Challenge> challenge;
  std::optional<Token> token;
  state_->with([&](State& state) {
    challenge = state.challenge;
    const auto known = state.tokens.find(key);
    if (known != state.tokens.end()) token = known->second;
  });
  using Header = std::optional<std::string>;
  if (!challenge) return Header();
  if (challenge->scheme == "basic")
    return host_.login.empty() ? Header() : Header(basic(host_.login));
  if (!token || renew == Renew::Yes || token->good_until <= Clock::now()) {
    token = TRY(fetch_token(*challenge, scopes, cancel));
    state_->with([&](State& state) { state.tokens[key] = *token; });
  }
  return Header("Authorization: Bearer " + token->text);
}

Result<http::Response> Session::send(http::Message message, const Scopes& scopes,
                                     const CancelToken& cancel, Patience patience) {
  const std::vector<std::string> headers = message.headers;
  for (int refusals = 0;; ++refusals) {
    message.headers = headers;
    if (is_own(message.url)) {
      const Renew renew = refusals > 0 ? Renew::Yes : Renew::No;
      if (const auto header = TRY(authorization(scopes, renew, cancel))) {
        message.headers.push_back(*header);
      }
    }
    const bool is_one_attempt = message.body != nullptr || patience == Patience::Once;
    http::Response response = TRY(is_one_attempt ? sender_.send(message, cancel)
                                                 : sender_.send_until_answered(message, cancel));
    if (response.status != 401) return response;
    // A body that was read cannot be sent again: the caller makes it anew.
    if (refusals + 1 == kMostRefusals || message.body != nullptr || !is_own(message.url)) {
      return denied(message.url);
    }
    TRY(learn(response));
  }
}

}  // namespace slipway::registry
