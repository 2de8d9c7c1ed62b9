#include "run/mount_places.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <deque>
#include <optional>

#include "base/file.h"
#include "base/open_within.h"
#include "base/sandbox_overlay.h"

namespace slipway::run {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's
constexpr std::array<std::string_view, 3> kClosed{"/dev", "/proc", "/sys"};

void push_front(std::string_view path, std::deque<std::string>& parts) {
  while (!path.empty()) {
    const std::size_t at = std::min(path.rfind('/') + 1, path.size());
    const std::string_view part = path.substr(at);
    if (!part.empty() && part != ".") parts.emplace_front(part);
    path = path.substr(0, at > 0 ? at - 1 : 0);
  }
}

class Walk {
 public:
  explicit Walk(const std::vector<UniqueFd>& folders) : folders_(folders) {}

  /// The place without links. What is not there yet will be made, and is no link then.
  Result<std::string> real_place(const std::string& target) {
    std::deque<std::string> rest;
    push_front(target, rest);
    std::string at;
    links_ = 0;
    while (!rest.empty()) {
      const std::string part = std::move(rest.front());
      rest.pop_front();
      if (part == "..") {
        at.resize(at.empty() ? 0 : at.rfind('/'));
        continue;
      }
      at += "/" + part;
      // Nothing of the image is seen there: these are mounts themselves.
      if (is_closed(at)) continue;
      const std::optional<std::string> lead = read_link(at);
      if (!lead) continue;
      if (++links_ > kMostLinks) {
        return make_error(ErrorKind::Denied, "the image's links at `{}` have no end", target);
      }
      at.resize(lead->starts_with('/') ? 0 : at.rfind('/'));
      push_front(*lead, rest);
    }
    return at.empty() ? "/" : at;
  }
  bool has_followed_links() const { return links_ > 0; }

  static bool is_closed(const std::string& path) {
    return std::ranges::any_of(kClosed, [&](auto folder) { return is_within(path, folder); });
  }

 private:
  /// What the link leads to; nothing where there is none, or it is hidden by a higher layer.
  std::optional<std::string> read_link(const std::string& path) const {
    for (const UniqueFd& folder : folders_) {
      const UniqueFd file(open_within(folder.get(), path.c_str() + 1, O_PATH | O_NOFOLLOW,
                                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
      struct stat status {};
      if (!file || ::fstat(file.get(), &status) != 0) continue;
      if (!S_ISLNK(status.st_mode)) return std::nullopt;
      char text[PATH_MAX];
      const ssize_t size = ::readlinkat(file.get(), "", text, sizeof text);
      if (size <= 0) return std::nullopt;
      return std::string(text, static_cast<std::size_t>(size));
    }
    return std::nullopt;
  }

  const std::vector<UniqueFd>& folders_;
  int links_ = 0;
};

Result<std::vector<UniqueFd>> open_all(const std::vector<std::string>& folders) {
  std::vector<UniqueFd> opened;
  for (const std::string& folder : folders) {
    opened.push_back(TRY(open_file(folder, O_PATH | O_DIRECTORY)));
  }
  return opened;
}

}  // namespace

Result<void> check_mount_places(const std::vector<std::string>& folders,
                                const std::vector<std::string>& targets,
                                const std::vector<std::string>& mounts) {
  if (targets.empty()) return {};
  const std::vector<UniqueFd> opened = TRY(open_all(folders));
  Walk walk(opened);
  for (const std::string& target : targets) {
    const std::string place = TRY(walk.real_place(target));
    if (!walk.has_followed_links()) continue;
    if (Walk::is_closed(place)) {
      return make_error(ErrorKind::Denied, "the image's links lead `{}` to `{}`", target, place)
          .reason("what is mounted there would take the place of the system's own files")
          .hint("do not run this image: nothing honest is made like this");
    }
    const auto holds = [&](const std::string& one) {
      return one != place && one != target && is_within(place, one);
    };
    const auto above = std::ranges::find_if(mounts, holds);
    if (above == mounts.end()) continue;
    return make_error(ErrorKind::Unsupported,
                      "the image's links lead `{}` to `{}`, into what is mounted at `{}`", target,
                      place, *above)
        .hint(fmt::format("mount it at `{}` by that name", place));
  }
  return {};
}

}  // namespace slipway::run
