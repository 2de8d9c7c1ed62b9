#include "registry/docker_config.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/process.h"

namespace slipway::registry {
namespace {

using nlohmann::json;

constexpr std::size_t kMostBytes = 4 << 20;

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Login> login_of(const json& entry) {
  if (!entry.is_object()) return std::nullopt;
  Login login{text_of(entry, "username"), text_of(entry, "password"),
              text_of(entry, "identitytoken")};
  if (const std::string packed = text_of(entry, "auth"); !packed.empty()) {
    const auto plain = decode_base64(packed);
    const std::size_t colon = plain ? plain->find(':') : std::string::npos;
    if (colon == std::string::npos) return std::nullopt;
    login.user = plain->substr(0, colon);
    login.password = plain->substr(colon + 1);
    login.password.resize(std::min(login.password.find('\0'), login.password.size()));
  }
  return login;
}

/// `https://host:5000/v1/` -> `host:5000/v1`
std::string_view plain_key(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  }
  while (key.ends_with('/')) key.remove_suffix(1);
  return key;
}

/// How much of `host/repository` the key names: 0 where it is of something else.
std::size_t fit_of(std::string_view key, std::string_view host, std::string_view repository) {
  const std::string_view plain = plain_key(key);
  const std::string whole = fmt::format("{}/{}", host, repository);
  if (plain == host) return host.size();
  // The registry of old at the host's `index.`, under whose name Docker still logs in.
  if (key != plain && plain == fmt::format("index.{}/v1", host)) return host.size();
  if (key != plain && plain.substr(0, plain.find('/')) == host) return host.size();
  const bool is_above = whole.starts_with(plain) && plain.size() > host.size() &&
                        (whole.size() == plain.size() || whole[plain.size()] == '/');
  return is_above ? plain.size() : 0;
}

Result<std::optional<Login>> ask_helper(const std::string& name, std::string_view host,
                                        const CancelToken& cancel) {
  if (name.find('/') != std::string::npos) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no name of a credential helper", name);
  }
  const std::string program = "docker-credential-" + name;
  ProcessOptions options;
  options.input = std::string(host);
  options.cancel = cancel;
  const ProcessResult result = TRY(run_process({program, "get"}, options));
  TRY(cancel.check());
  // The words are the protocol's: a helper has no other way to say that it knows nothing.
  if (result.status != 0 && result.output.find("not found") != std::string::npos) {
    return std::optional<Login>();
  }
  if (result.status != 0) {
    return make_error(ErrorKind::Denied, "`{}` gives no login for `{}`: {}", program, host,
                      result.output.substr(0, result.output.find('\n')));
  }
  return std::optional(TRY(parse_helper_answer(result.output, program)));
}

}  // namespace

Result<DockerConfig> parse_docker_config(std::string_view text, std::string_view shown) {
  const json document = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) {
    return make_error(ErrorKind::InvalidInput, "`{}` is not a JSON object", shown);
  }
  DockerConfig config;
  if (const auto auths = document.find("auths"); auths != document.end() && auths->is_object()) {
    for (const auto& [key, entry] : auths->items()) {
      const auto login = login_of(entry);
      if (!login) {
        return make_error(ErrorKind::InvalidInput, "`{}` has a login for `{}` that cannot be read",
                          shown, key);
      }
      config.logins[key] = *login;
    }
  }
  const auto helpers = document.find("credHelpers");
  if (helpers != document.end() && helpers->is_object()) {
    for (const auto& [key, name] : helpers->items()) {
      if (name.is_string()) config.helpers[key] = name.get<std::string>();
    }
  }
  config.store = text_of(document, "credsStore");
  return config;
}

std::optional<Login> find_login(const DockerConfig& config, std::string_view host,
                                std::string_view repository) {
  const Login* best = nullptr;
  std::size_t best_fit = 0;
  for (const auto& [key, login] : config.logins) {
    const std::size_t fit = login.empty() ? 0 : fit_of(key, host, repository);
    if (fit > best_fit) {
      best_fit = fit;
      best = &login;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

Result<Login> parse_helper_answer(std::string_view text, std::string_view helper) {
  const json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!answer.is_object()) {
    return make_error(ErrorKind::Io, "`{}` does not answer as credential helpers do", helper);
  }
  Login login{text_of(answer, "Username"), text_of(answer, "Secret"), ""};
  if (login.user == "<token>") login = {"", "", login.password};
  return login;
}

std::vector<std::string> login_files() {
  if (const auto file = find_environment("REGISTRY_AUTH_FILE")) return {*file};
  std::vector<std::string> files;
  if (const auto folder = find_environment("DOCKER_CONFIG")) {
    files.push_back(join_path(*folder, "config.json"));
  } else if (const auto home = find_environment("HOME")) {
    files.push_back(join_path(*home, ".docker/config.json"));
  }
  const auto runtime = find_environment("XDG_RUNTIME_DIR");
  files.push_back(join_path(runtime ? *runtime : fmt::format("/run/user/{}", ::getuid()),
                            "containers/auth.json"));
  return files;
}

Result<Login> find_host_login(std::string_view host, std::string_view repository,
                              const CancelToken& cancel) {
  for (const std::string& file : login_files()) {
    if (!path_exists(file)) continue;
    if (TRY(file_size(file)) > kMostBytes) {
      return make_error(ErrorKind::InvalidInput, "`{}` is too large for logins", file);
    }
    const std::string text = TRY(read_file(file));
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) continue;
    const DockerConfig config = TRY(parse_docker_config(text, file));
    const auto helper = config.helpers.find(std::string(host));
    const std::string name = helper != config.helpers.end() ? helper->second : config.store;
    if (!name.empty()) {
      if (auto login = TRY(ask_helper(name, host, cancel))) return std::move(*login);
    }
    if (auto login = find_login(config, host, repository)) return std::move(*login);
  }
  return Login{};
}

}  // namespace slipway::registry
