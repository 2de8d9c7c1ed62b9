/// Docker's `config.json` and Podman's `auth.json`: who we are at which registry.
///
///   {"auths": {"host": {"auth": base64("user:password"), "identitytoken": "…"}},
///    "credHelpers": {"host": "NAME"}, "credsStore": "NAME"}
///
/// A helper is a program `docker-credential-NAME` that is asked `get` with the host on its standard
/// input. No password ever appears in an Error.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"

namespace slipway::registry {

struct Login {
  std::string user, password;
  std::string identity_token;  ///< in place of a password
  bool empty() const { return user.empty() && password.empty() && identity_token.empty(); }
  bool operator==(const Login&) const = default;
};

struct DockerConfig {
  std::map<std::string, Login> logins;  ///< by key as it stands
  std::map<std::string, std::string> helpers;
  std::string store;
};

/// Fails with InvalidInput. `shown` is the file. Pure.
Result<DockerConfig> parse_docker_config(std::string_view text, std::string_view shown);

/// The login of a registry. Keys may be URLs, and Podman's may go on with a repository: the longest
/// that fits counts. `repository` may be empty. Pure.
std::optional<Login> find_login(const DockerConfig& config, std::string_view host,
                                std::string_view repository);

/// What a helper answers. Pure.
Result<Login> parse_helper_answer(std::string_view text, std::string_view helper);

/// Where to look, first to last: $REGISTRY_AUTH_FILE alone where it is set; else
/// $DOCKER_CONFIG/config.json or ~/.docker/config.json, and Podman's in the runtime folder.
std::vector<std::string> login_files();

/// The login of the first file that has one; empty where none has. Blocks: may run a helper.
/// Fails with InvalidInput, NotFound (a helper that is not installed), Io.
Result<Login> find_host_login(std::string_view host, std::string_view repository,
                              const CancelToken& cancel);

}  // namespace slipway::registry
