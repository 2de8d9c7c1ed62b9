#include "run/injected_node.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include <optional>

namespace slipway::run {
namespace {

char type_of(mode_t mode) {
  if (S_ISBLK(mode)) return 'b';
  if (S_ISCHR(mode)) return 'c';
  return S_ISFIFO(mode) ? 'p' : '\0';
}

/// A link is none: what it leads to could change.
std::optional<struct stat> find_node(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || type_of(status.st_mode) == 0) return std::nullopt;
  return status;
}

/// Whether the specification says enough for a node to be made without the host's.
bool is_complete(const InjectedNode& node) {
  return node.type != 0 && (node.major != 0 || node.type == 'p');
}

Error missing(const InjectedNode& node) {
  struct stat status {};
  if (::lstat(node.source.c_str(), &status) == 0) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no device node", node.source);
  }
  return make_error(ErrorKind::NotFound, "the device node `{}` is not there", node.source)
      .hint("the CDI file may be older than the hardware or its driver: have it made anew");
}

}  // namespace

Result<BundleDevice> read_injected_node(const InjectedNode& node, const RunRequest& request) {
  const std::optional<struct stat> host = find_node(node.source);
  if (!host && !is_complete(node)) return missing(node);
  BundleDevice device;
  device.path = node.target;
  device.access = node.access;
  device.type = node.type;
  device.mode = node.mode.value_or(host ? host->st_mode : 0666) & 0777;
  device.uid = node.uid.value_or(request.uid);
  device.gid = node.gid.value_or(request.gid);
  device.major = static_cast<unsigned>(node.major);
  device.minor = static_cast<unsigned>(node.minor);
  if (is_complete(node)) return device;
  const char type = type_of(host->st_mode);
  if (device.type != 0 && device.type != type) {
    return make_error(ErrorKind::InvalidInput,
                      "`{}` is of type `{}`, not `{}` as its CDI file says", node.source, type,
                      device.type);
  }
  device.type = type;
  if (type != 'p' && node.major == 0) {
    device.major = major(host->st_rdev);
    device.minor = minor(host->st_rdev);
  }
  return device;
}

Result<UniqueFd> open_injected_node(const InjectedNode& node) {
  if (!find_node(node.source)) return missing(node);
  UniqueFd tree = TRY(copy_mount(node.source, Submounts::Without));
  struct stat status {};
  struct statvfs mount {};
  if (::fstat(tree.get(), &status) != 0 || ::fstatvfs(tree.get(), &mount) != 0) {
    return errno_error(fmt::format("cannot look at `{}`", node.source));
  }
  const char type = type_of(status.st_mode);
  const bool is_number_right = node.type == 'p' || node.major == 0 ||
                               (major(status.st_rdev) == static_cast<unsigned>(node.major) &&
                                minor(status.st_rdev) == static_cast<unsigned>(node.minor));
  const char wanted = node.type == 'u' ? 'c' : node.type;
  if ((wanted != 0 && wanted != type) || !is_number_right) {
    return make_error(ErrorKind::Unsupported, "`{}` is not the device that its CDI file means",
                      node.source)
        .reason("without root no node can be made, only the host's can be passed on");
  }
  if (type != 'p' && (mount.f_flag & ST_NODEV) != 0) {
    return make_error(ErrorKind::Unsupported, "`{}` lies where devices are switched off (nodev)",
                      node.source);
  }
  return tree;
}

}  // namespace slipway::run
