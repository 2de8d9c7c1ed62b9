#include "base/environment.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.h"

namespace slipway {
namespace {

std::string home() {
  if (auto home = find_environment("HOME")) return *home;
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_dir : "/";
}

std::string xdg(const char* variable, const char* fallback) {
  // "All paths set in these environment variables must be absolute": others are ignored.
  const auto value = find_environment(variable);
  const std::string base = value && value->starts_with('/') ? *value : join_path(home(), fallback);
  return join_path(base, "slipway");
}

}  // namespace

std::optional<std::string> find_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

std::string store_folder() {
  if (auto path = find_environment("SLIPWAY_HOME")) return *path;
  return xdg("XDG_DATA_HOME", ".local/share");
}

std::string cache_folder() {
  if (auto path = find_environment("SLIPWAY_CACHE")) return *path;
  return xdg("XDG_CACHE_HOME", ".cache");
}

std::string config_folder() { return xdg("XDG_CONFIG_HOME", ".config"); }

}  // namespace slipway
