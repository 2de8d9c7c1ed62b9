#include "layer/debian_changes.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/file.h"
#include "layer/debian_normalise.h"

namespace slipway::layer {
namespace {

using Kind = FileLook::Kind;

constexpr std::string_view kCacheFolder = "__pycache__";

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

/// What a run mounts over, or empties.
bool is_special(std::string_view path) {
  constexpr std::array<std::string_view, 6> kFolders{"dev", "proc", "sys", "run", "tmp", "var/tmp"};
  return std::any_of(kFolders.begin(), kFolders.end(), [&](std::string_view folder) {
    return path == folder || is_below(path, folder);
  });
}

/// Who this machine is, what dpkg keeps beside its database, backups.
bool is_leftover(std::string_view path) {
  constexpr std::array<std::string_view, 15> kFiles{"etc/.pwd.lock",
                                                    "etc/group-",
                                                    "etc/gshadow-",
                                                    "etc/hostname",
                                                    "etc/mailname",
                                                    "etc/passwd-",
                                                    "etc/resolv.conf",
                                                    "etc/shadow-",
                                                    "etc/subgid-",
                                                    "etc/subuid-",
                                                    "usr/sbin/policy-rc.d",
                                                    "var/lib/dbus/machine-id",
                                                    "var/lib/dpkg/triggers/Lock",
                                                    "var/lib/systemd/random-seed",
                                                    "sbin/policy-rc.d"};
  if (std::find(kFiles.begin(), kFiles.end(), path) != kFiles.end()) return true;
  if (path.starts_with("etc/ssh/ssh_host_") || is_below(path, "var/lib/apt/lists")) return true;
  if (is_below(path, "var/lib/dpkg/updates") || is_below(path, "var/lib/dpkg/tmp.ci")) return true;
  constexpr std::string_view kDpkg = "var/lib/dpkg/";
  if (!path.starts_with(kDpkg)) return false;
  const auto name = path.substr(kDpkg.size());
  return name.find('/') == std::string_view::npos &&
         (name.ends_with("-old") || name.starts_with("lock"));
}

/// utmp(5) and lastlog are expected to be there by those who write to them.
bool is_expected_log(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  return name == "wtmp" || name == "btmp" || name == "lastlog" || name == "faillog";
}

std::string without_slash(const PathChange& change) { return change.path.substr(1); }

bool is_file(const std::optional<FileLook>& look) { return look && look->kind == Kind::File; }

}  // namespace

ChangeFate fate_of(std::string_view path, const PathChange& change) {
  const bool is_folder = change.after && change.after->kind == Kind::Folder;
  if (is_special(path) || is_leftover(path)) return ChangeFate::Left;
  const bool is_new_file = !change.before && is_file(change.after);
  if (path == "etc/machine-id") return is_new_file ? ChangeFate::Emptied : ChangeFate::Left;
  if (is_below(path, "var/log")) {
    if (is_folder) return ChangeFate::Kept;
    return is_new_file && is_expected_log(path) ? ChangeFate::Emptied : ChangeFate::Left;
  }
  if (is_below(path, "var/cache") && !is_folder) return ChangeFate::Left;
  return ChangeFate::Kept;
}

std::string source_of_bytecode(std::string_view path, std::string_view tag) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  auto name = path.substr(slash + 1);
  const auto folder = path.substr(0, slash);
  const auto suffix = fmt::format(".{}.pyc", tag);
  if (!folder.ends_with(fmt::format("/{}", kCacheFolder)) || !name.ends_with(suffix)) return {};
  name.remove_suffix(suffix.size());
  if (name.empty() || name.find('.') != std::string_view::npos) return {};
  return fmt::format("{}{}.py", folder.substr(0, folder.size() - kCacheFolder.size()), name);
}

std::vector<std::string> sources_to_compile(const std::vector<PathChange>& changes,
                                            const std::string& python) {
  std::string tag = "cpython-" + python.substr(std::string_view("python").size());
  tag.erase(std::remove(tag.begin(), tag.end(), '.'), tag.end());
  std::set<std::string> removed;
  std::set<std::string> sources;
  for (const auto& change : changes) {
    const auto path = without_slash(change);
    if (!change.after) removed.insert(path);
    if (!is_file(change.after)) continue;
    if (!is_below(path, "usr/lib/python3") && !is_below(path, "usr/lib/" + python)) continue;
    const auto source = path.ends_with(".py") ? path : source_of_bytecode(path, tag);
    if (!source.empty()) sources.insert(source);
  }
  for (const auto& path : removed) sources.erase(path);
  return {sources.begin(), sources.end()};
}

std::string fix_new_shadow_dates(std::string_view shadow, std::string_view of_base) {
  const auto lines_of = [](std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
      lines.push_back(text.substr(0, text.find('\n')));
      text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
    }
    return lines;
  };
  const auto old = lines_of(of_base);
  std::string fixed;
  for (const auto line : lines_of(shadow)) {
    const bool is_new = std::find(old.begin(), old.end(), line) == old.end();
    fixed += is_new ? fix_shadow_dates(line) : fmt::format("{}\n", line);
  }
  return fixed;
}

}  // namespace slipway::layer
