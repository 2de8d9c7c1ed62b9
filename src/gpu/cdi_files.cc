#include "gpu/cdi_files.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/file.h"

namespace slipway::gpu {
namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

/// The value behind `key` at `at`: `path: /dev/x`, `"path":"/dev/x"`; empty if it is no path.
std::string value_behind(std::string_view text, std::size_t at, std::string_view key) {
  text.remove_prefix(at + key.size());
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos ||
      text.substr(0, colon).find_first_not_of(" \t\"'") != std::string_view::npos) {
    return {};
  }
  text.remove_prefix(colon + 1);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\"'"), text.size()));
  return text.starts_with('/') ? std::string(text.substr(0, text.find_first_of("\"'\r\n,}")))
                               : std::string();
}

bool is_cdi_file(const std::string& name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

/// `…/libcuda.so.550.54.14` -> `550.54.14`; only NVIDIA's own libraries carry it.
std::string driver_version_in(const std::string& path) {
  const std::string name = base_name(path);
  for (const char* stem : {"libcuda.so.", "libnvidia-ml.so."}) {
    const std::string_view rest = std::string_view(name).substr(std::min(
        name.starts_with(stem) ? std::string_view(stem).size() : name.size(), name.size()));
    if (rest.find('.') != std::string_view::npos) return std::string(rest);
  }
  return {};
}

HostFinding stale(const std::string& file, const std::string& what) {
  return {"cdi-stale",
          "devices",
          Severity::Warning,
          fmt::format("{} {}", file, what),
          "Podman and Docker say `failed to stat CDI host device` or `no such file or directory`; "
          "Slipway does not use this file",
          fmt::format("sudo nvidia-ctk cdi generate --output={}", file)};
}

void judge_file(const HostView& host, const std::string& file, const std::string& driver_version,
                HostFindings& findings) {
  const std::string text = host.text(file);
  if (text.find("nvidia") == std::string::npos) return;
  std::vector<std::string> gone;
  std::string other;
  for (const std::string& path : parse_cdi_paths(text)) {
    if (!path_exists(host.at(path))) gone.push_back(path);
    const std::string version = driver_version_in(path);
    if (!version.empty() && version != driver_version) other = version;
  }
  if (!gone.empty()) {
    findings.push_back(stale(
        file, gone.size() == 1
                  ? fmt::format("names {}, which is gone", gone[0])
                  : fmt::format("names {} files that are gone, like {}", gone.size(), gone[0])));
  } else if (!other.empty() && !driver_version.empty()) {
    findings.push_back(stale(
        file, fmt::format("was made for driver {}; this host runs {}", other, driver_version)));
  }
}

}  // namespace

std::vector<std::string> parse_cdi_paths(std::string_view text) {
  std::set<std::string> paths;
  for (const std::string_view key : {"hostPath", "path"}) {
    for (std::size_t at = text.find(key); at != std::string_view::npos;
         at = text.find(key, at + 1)) {
      if (at > 0 && is_name_character(text[at - 1])) continue;
      std::string value = value_behind(text, at, key);
      if (!value.empty()) paths.insert(std::move(value));
    }
  }
  return {paths.begin(), paths.end()};
}

HostFindings judge_cdi_files(const HostView& host, const std::string& driver_version) {
  HostFindings findings;
  for (const char* folder : {"/etc/cdi", "/var/run/cdi"}) {
    for (const std::string& name : host.names(folder)) {
      if (is_cdi_file(name)) judge_file(host, join_path(folder, name), driver_version, findings);
    }
  }
  return findings;
}

}  // namespace slipway::gpu
