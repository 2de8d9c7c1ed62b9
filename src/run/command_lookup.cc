#include "run/command_lookup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <string_view>

#include "base/file.h"

namespace slipway::run {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's
constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Found {
  std::string folder;  ///< the layer
  struct stat status {};
};

/// `path` is absolute and has no links above its last part.
std::optional<Found> find_in_layers(const RunRequest& request, const std::string& path) {
  for (const std::string& folder : request.lower_folders) {
    Found found{folder, {}};
    if (::lstat((folder + path).c_str(), &found.status) == 0) return found;
  }
  return std::nullopt;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t at = std::min(text.find(separator), text.size());
    if (at > 0) parts.emplace_back(text.substr(0, at));
    text.remove_prefix(std::min(at + 1, text.size()));
  }
  return parts;
}

/// Whether `fits` is true of anything that the caller, a device or the driver mounts.
bool any_mount(const RunRequest& request, const auto& fits) {
  return std::ranges::any_of(request.volumes, fits) ||
         std::ranges::any_of(request.injection.mounts, fits) ||
         std::ranges::any_of(request.driver.programs, fits);
}

/// The runtime makes the folders above a mount point.
bool leads_to_mount(const RunRequest& request, std::string_view path) {
  return any_mount(request, [&](const auto& mount) { return is_within(mount.target, path); });
}

enum class Answer { Missing, CannotRun, Fine };

/// Walks part by part over all layers. Anything at or below a mount is taken as fine.
Answer look_up(const RunRequest& request, const std::string& wanted) {
  std::deque<std::string> rest;
  for (std::string& part : split(wanted, '/')) rest.push_back(std::move(part));
  std::string at;
  int links = 0;
  mode_t mode = S_IFDIR;
  while (!rest.empty()) {
    const std::string part = rest.front();
    rest.pop_front();
    if (part == ".") continue;
    if (part == "..") {
      at = at.empty() ? "" : at.substr(0, at.rfind('/'));
      continue;
    }
    const std::string next = at + "/" + part;
    const auto covers = [&](const auto& mount) { return is_within(next, mount.target); };
    if (any_mount(request, covers)) return Answer::Fine;
    if (is_within(next, "/proc") || is_within(next, "/dev")) return Answer::Fine;
    const std::optional<Found> found = find_in_layers(request, next);
    if (!found && leads_to_mount(request, next)) {
      at = next;
      continue;
    }
    if (!found) return Answer::Missing;
    mode = found->status.st_mode;
    if (!S_ISLNK(mode)) {
      at = next;
      continue;
    }
    char target[4096];
    const ssize_t size = ::readlink((found->folder + next).c_str(), target, sizeof target);
    if (size <= 0 || ++links > kMostLinks) return Answer::Missing;
    const std::string_view text(target, static_cast<std::size_t>(size));
    if (text.starts_with('/')) at.clear();
    std::vector<std::string> parts = split(text, '/');
    rest.insert(rest.begin(), parts.begin(), parts.end());
  }
  return S_ISREG(mode) && (mode & 0111) != 0 ? Answer::Fine : Answer::CannotRun;
}

std::string search_path(const RunRequest& request) {
  for (const std::string& variable : request.environment) {
    if (variable.starts_with("PATH=")) return variable.substr(5);
  }
  return std::string(kDefaultPath);
}

}  // namespace

std::optional<int> find_command_problem(const RunRequest& request) {
  const std::string& name = request.command.front();
  std::vector<std::string> candidates;
  if (name.find('/') != std::string::npos) {
    candidates.push_back(join_path(request.working_folder, name));
  } else {
    for (const std::string& folder : split(search_path(request), ':')) {
      candidates.push_back(join_path(join_path(request.working_folder, folder), name));
    }
  }
  int problem = 127;
  for (const std::string& candidate : candidates) {
    const Answer answer = look_up(request, candidate);
    if (answer == Answer::Fine) return std::nullopt;
    if (answer == Answer::CannotRun) problem = 126;
  }
  return problem;
}

}  // namespace slipway::run
