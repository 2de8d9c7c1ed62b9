#include "base/sandbox_overlay.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/file.h"
#include "base/user_namespace.h"

namespace slipway {
namespace {

// fsconfig(2) takes values up to 255 bytes.
constexpr std::size_t kLongestValue = 255;

bool set(const UniqueFd& context, const char* key, const std::string& value) {
  return value.size() <= kLongestValue &&
         ::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0;
}

/// Upper and work go through the option parser's unescaping, lowerdir+ does not.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (c == '\\' || c == ':') text += '\\';
    text += c;
  }
  return text;
}

/// Nothing where this kernel or these paths need the other way.
std::optional<UniqueFd> mount_detached(const OverlayRequest& request) {
  const UniqueFd context(::fsopen("overlay", FSOPEN_CLOEXEC));
  if (!context) return std::nullopt;
  for (const std::string& lower : request.lowers) {
    if (!set(context, "lowerdir+", lower)) return std::nullopt;
  }
  if (!request.upper.empty()) {
    if (!set(context, "upperdir", escaped(request.upper))) return std::nullopt;
    if (!set(context, "workdir", escaped(request.work))) return std::nullopt;
    if (request.changes == OverlayRequest::Changes::ThrownAway) {
      (void)::fsconfig(context.get(), FSCONFIG_SET_FLAG, "volatile", nullptr, 0);
    }
  }
  if (in_user_namespace() &&
      ::fsconfig(context.get(), FSCONFIG_SET_FLAG, "userxattr", nullptr, 0) != 0) {
    return std::nullopt;
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return std::nullopt;
  UniqueFd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
  if (!mount) return std::nullopt;
  return mount;
}

Result<void> make_link(const std::string& target, const std::string& path) {
  if (::symlink(target.c_str(), path.c_str()) != 0) {
    return errno_error(fmt::format("cannot make link `{}`", path));
  }
  return {};
}

ChildStep change_folder(std::string path) {
  ChildStep step;
  step.call = ChildStep::Call::ChangeFolder;
  step.path = std::move(path);
  return step;
}

Result<PreparedOverlay> prepare_short(const OverlayRequest& request, const std::string& target) {
  TRY(make_folders(request.links_folder, 0700));
  for (std::size_t i = 0; i < request.lowers.size(); ++i) {
    TRY(make_link(request.lowers[i], join_path(request.links_folder, fmt::format("{}", i))));
  }
  if (!request.upper.empty()) {
    TRY(make_link(request.upper, join_path(request.links_folder, "u")));
    TRY(make_link(request.work, join_path(request.links_folder, "w")));
  }
  PreparedOverlay prepared;
  prepared.steps.push_back(change_folder(request.links_folder));
  prepared.steps.push_back(make_mount(
      "overlay", target, "overlay", 0,
      short_overlay_options(request.lowers.size(), !request.upper.empty(), in_user_namespace())));
  prepared.steps.push_back(change_folder("/"));
  return prepared;
}

Result<PreparedOverlay> prepare_bind(const std::string& folder, const std::string& target) {
  PreparedOverlay prepared;
  prepared.mount = TRY(copy_mount(folder, Submounts::Without));
  TRY(make_read_only(prepared.mount.get(), Submounts::Without));
  prepared.steps.push_back(make_move_mount(prepared.mount.get(), target));
  return prepared;
}

}  // namespace

bool is_whiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

bool is_opaque(int folder_fd) {
  char value = 0;
  return (::fgetxattr(folder_fd, "trusted.overlay.opaque", &value, 1) == 1 ||
          ::fgetxattr(folder_fd, "user.overlay.opaque", &value, 1) == 1) &&
         value == 'y';
}

std::string short_overlay_options(std::size_t lowers, bool has_upper, bool user_attributes) {
  std::string options = "lowerdir=";
  for (std::size_t i = 0; i < lowers; ++i) options += fmt::format("{}{}", i == 0 ? "" : ":", i);
  if (has_upper) options += ",upperdir=u,workdir=w";
  if (user_attributes) options += ",userxattr";
  return options;
}

Result<PreparedOverlay> prepare_overlay(const OverlayRequest& request, const std::string& target) {
  SLIPWAY_CHECK(!request.lowers.empty());
  for (const std::string& lower : request.lowers) {
    if (!is_folder(lower)) return make_error(ErrorKind::NotFound, "no folder `{}`", lower);
  }
  if (request.lowers.size() == 1 && request.upper.empty()) {
    return prepare_bind(request.lowers[0], target);
  }
  if (request.names == OverlayRequest::Names::Automatic) {
    std::optional<UniqueFd> mount = mount_detached(request);
    if (mount) {
      PreparedOverlay prepared;
      prepared.steps.push_back(make_move_mount(mount->get(), target));
      prepared.mount = std::move(*mount);
      return prepared;
    }
  }
  return prepare_short(request, target);
}

}  // namespace slipway
