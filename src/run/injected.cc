#include "run/injected.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/file.h"
#include "base/user_namespace.h"
#include "run/act_as.h"
#include "run/injected_node.h"
#include "run/record.h"
#include "run/shown_files.h"
#include "run/upper_files.h"
#include "run/volumes.h"

namespace slipway::run {
namespace {

/// The container's /dev is a fresh file system: what is put there can hide nothing but these.
Result<std::string> check_in_dev(std::string_view what, const std::string& path) {
  static constexpr std::array<std::string_view, 15> kTaken{
      "/dev/null",   "/dev/zero",    "/dev/full",  "/dev/random", "/dev/urandom",
      "/dev/tty",    "/dev/console", "/dev/ptmx",  "/dev/pts",    "/dev/shm",
      "/dev/mqueue", "/dev/fd",      "/dev/stdin", "/dev/stdout", "/dev/stderr"};
  const std::string folded = TRY(absolute_path(path));
  if (!path.starts_with('/') || folded == "/dev" || !is_within(folded, "/dev")) {
    return make_error(ErrorKind::InvalidInput, "{} `{}` does not lie in `/dev`", what, path);
  }
  for (const std::string_view taken : kTaken) {
    if (!is_within(folded, taken)) continue;
    return make_error(ErrorKind::InvalidInput,
                      "{} `{}` would take the place of the container's own", what, path);
  }
  return folded;
}

Result<std::string> check_mount_target(const std::string& path) {
  if (path.starts_with("/dev/")) return check_in_dev("the CDI mount", path);
  std::string folded = TRY(check_inside_path("the CDI mount", path));
  if (folded == "/") {
    return make_error(ErrorKind::InvalidInput, "a CDI mount cannot take the place of `/`");
  }
  return folded;
}

Result<UniqueFd> copy_as(const Owner& owner, const std::string& source) {
  const ActAs caller(owner);
  return copy_mount(source, Submounts::With);
}

class Preparation {
 public:
  Preparation(const RunRequest& request, const InjectionPlaces& places, BundleFacts& facts,
              Reporter& reporter)
      : request_(request), places_(places), facts_(facts), reporter_(reporter) {}

  Result<PreparedMounts> all() {
    TRY(make_folders(places_.staging_folder));
    for (const InjectedNode& node : request_.injection.nodes) TRY(add_node(node));
    // Folders before what lies in them.
    std::vector<InjectedMount> wishes = request_.injection.mounts;
    std::ranges::stable_sort(wishes, {}, [](const auto& one) { return depth_of(one.target); });
    for (const InjectedMount& wish : wishes) TRY(add_mount(wish));
    TRY(add_links());
    TRY(tell_loader());
    return std::move(prepared_);
  }

 private:
  Result<void> add_node(const InjectedNode& node) {
    BundleDevice device = TRY(read_injected_node(node, request_));
    std::erase_if(facts_.devices, [&](const auto& one) { return one.path == device.path; });
    if (!facts_.in_user_namespace) {
      if (!path_exists(node.source)) {
        reporter_.warn(fmt::format(
            "`{}` is not there: it is made by the numbers of its CDI file, and may lead nowhere",
            node.source));
      }
      facts_.devices.push_back(std::move(device));
      return {};
    }
    UniqueFd tree = TRY(open_injected_node(node));
    struct stat status {};
    if (::fstat(tree.get(), &status) == 0 && (status.st_mode & 0006) != 0006) {
      reporter_.warn(fmt::format(
          "`{}` is not open to every user of this machine, and may be closed inside", node.source));
    }
    BundleMount mount{"", node.target, Access::ReadWrite};
    mount.nodes = BundleMount::Nodes::Open;
    return stage(std::move(tree), std::move(mount));
  }

  Result<void> add_mount(const InjectedMount& wish) {
    Result<UniqueFd> opened = copy_as(request_.owner, wish.source);
    if (!opened.ok() && opened.error().kind == ErrorKind::NotFound) {
      return make_error(ErrorKind::NotFound, "`{}`, which a CDI file wants mounted, is not there",
                        wish.source)
          .hint("the file may be older than the driver: have it made anew");
    }
    UniqueFd tree = TRY(std::move(opened));
    BundleMount mount{"", TRY(absolute_path(wish.target)), Access::ReadWrite};
    for (const std::string& option : wish.options) {
      if (option == "ro") {
        TRY(make_read_only(tree.get(), Submounts::With));
        mount.access = Access::ReadOnly;
      } else {
        mount.options.push_back(option);
      }
    }
    return stage(std::move(tree), std::move(mount));
  }

  /// At a place of ours, from which the runtime binds it. A later one takes the target.
  Result<void> stage(UniqueFd tree, BundleMount mount) {
    struct stat status {};
    if (::fstat(tree.get(), &status) != 0) return errno_error("cannot look at a mount");
    const bool is_node = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
    // Intel's files mount /dev/dri/by-path/pci-…, links to nodes that they name as such too.
    if (is_node && is_within(mount.target, "/dev")) mount.nodes = BundleMount::Nodes::Open;
    if (is_node && mount.nodes == BundleMount::Nodes::Closed) {
      return make_error(ErrorKind::Unsupported,
                        "the CDI mount at `{}` is a device node, and does not lie in `/dev`",
                        mount.target)
          .hint("its CDI file should name it under `deviceNodes`");
    }
    if (const BundleMount* const above = find_above(mount.target)) {
      return attach(std::move(tree), mount, *above, status.st_mode);
    }
    mount.source = join_path(places_.staging_folder, fmt::format("{}", count_++));
    TRY(make_mount_place(mount.source, status.st_mode));
    prepared_.steps.push_back(make_move_mount(tree.get(), mount.source));
    prepared_.held.push_back(std::move(tree));
    put(std::move(mount));
    return {};
  }

  /// The deepest mount in which the place lies: its links are not the runtime's to follow.
  const BundleMount* find_above(const std::string& target) const {
    const BundleMount* deepest = nullptr;
    const auto look_at = [&](const BundleMount& one) {
      if (one.target == target || !is_within(target, one.target)) return;
      if (deepest == nullptr || one.target.size() > deepest->target.size()) deepest = &one;
    };
    for (const BundleMount& one : facts_.mounts) look_at(one);
    for (const BundleMount& one : prepared_.mounts) look_at(one);
    return deepest;
  }

  Result<void> attach(UniqueFd tree, const BundleMount& mount, const BundleMount& above,
                      mode_t mode) {
    if (mount.nodes == BundleMount::Nodes::Closed) TRY(make_plain(tree.get()));
    if (std::ranges::find(mount.options, "noexec") != mount.options.end()) {
      TRY(forbid_programs(tree.get()));
    }
    prepared_.steps.push_back(make_attach_beneath(tree.get(), above.source,
                                                  mount.target.substr(above.target.size() + 1),
                                                  S_ISDIR(mode) ? S_IFDIR : S_IFREG));
    prepared_.held.push_back(std::move(tree));
    return {};
  }

  void put(BundleMount mount) {
    std::erase_if(prepared_.mounts, [&](const auto& one) { return one.target == mount.target; });
    prepared_.mounts.push_back(std::move(mount));
  }

  /// In /dev there is no layer beneath: a folder of links is bound there.
  Result<void> add_links() {
    std::map<std::string, std::string> folders;
    for (const InjectedLink& link : request_.injection.links) {
      const std::string path = join_path(link.folder, link.name);
      const auto is_taken = [&](const auto& one) { return one.target == path; };
      if (std::ranges::any_of(prepared_.mounts, is_taken)) continue;
      if (!is_within(link.folder, "/dev")) {
        TRY_WHILE(fmt::format("making the link `{}` that a CDI file wants", path),
                  link_above(request_, places_.upper_folder, link.folder.substr(1), link.name,
                             link.target));
        continue;
      }
      std::string& staged = folders[link.folder];
      if (staged.empty()) {
        staged = join_path(places_.staging_folder, fmt::format("{}", count_++));
        TRY(make_shown_folder(staged));
        put({staged, link.folder, Access::ReadOnly});
      }
      if (::symlink(link.target.c_str(), join_path(staged, link.name).c_str()) != 0) {
        return errno_error(fmt::format("cannot make the link `{}`", path));
      }
    }
    return {};
  }

  Result<void> tell_loader() {
    const Injection& injection = request_.injection;
    if (injection.loader_cache.empty()) return {};
    TRY(write_above(request_, places_.upper_folder, "etc", "ld.so.cache", injection.loader_cache));
    return write_above(request_, places_.upper_folder, "etc/ld.so.conf.d", "001-slipway-cdi.conf",
                       fmt::format("{}\n", fmt::join(injection.loader_folders, "\n")));
  }

  const RunRequest& request_;
  const InjectionPlaces& places_;
  BundleFacts& facts_;
  Reporter& reporter_;
  PreparedMounts prepared_;
  int count_ = 0;
};

/// The runtime would make the node through the mount, in the host's folder, where any program of
/// the host's that may look there could use it.
Result<void> check_nodes(const std::vector<std::string>& nodes,
                         const std::vector<std::string>& mounts) {
  for (const std::string& mount : mounts) {
    for (const std::string& node : nodes) {
      if (node == mount || !is_within(node, mount)) continue;
      return make_error(ErrorKind::Unsupported,
                        "the device node `{}` lies in `{}`, which a CDI file mounts from the host",
                        node, mount)
          .reason("it would be made in the host's folder")
          .hint("the CDI file should name the nodes alone, or mount another folder");
    }
  }
  return {};
}

Result<void> check_link(const InjectedLink& link, const std::vector<std::string>& nodes) {
  const std::string path = join_path(link.folder, link.name);
  if (link.name.empty() || link.name.find('/') != std::string::npos || link.target.empty()) {
    return make_error(ErrorKind::InvalidInput, "`{}` can be no link of a CDI device", path);
  }
  if (!path.starts_with("/dev/")) {
    (void)TRY(check_inside_path("the CDI link", path));
    return {};
  }
  const std::string folder = TRY(check_in_dev("the folder of the CDI link", link.folder));
  // What is bound there would hide a node beside it.
  for (const std::string& node : nodes) {
    if (!is_within(node, folder)) continue;
    return make_error(ErrorKind::Unsupported, "the CDI link `{}` and the node `{}` share a folder",
                      path, node);
  }
  return {};
}

}  // namespace

Result<void> check_injection(const RunRequest& request) {
  const Injection& injection = request.injection;
  std::vector<std::string> nodes, mounts;
  for (const InjectedNode& node : injection.nodes) {
    nodes.push_back(TRY(check_in_dev("the CDI device node", node.target)));
  }
  for (const DeviceWish& wish : request.devices) nodes.push_back(TRY(absolute_path(wish.target)));
  for (const std::string& node : request.device_nodes) nodes.push_back(TRY(absolute_path(node)));
  for (const InjectedMount& mount : injection.mounts) {
    mounts.push_back(TRY(check_mount_target(mount.target)));
  }
  TRY(check_nodes(nodes, mounts));
  for (const InjectedLink& link : injection.links) TRY(check_link(link, nodes));
  return {};
}

Result<PreparedMounts> prepare_injection(const RunRequest& request, const InjectionPlaces& places,
                                         BundleFacts& facts, Reporter& reporter) {
  if (request.injection.is_empty()) return PreparedMounts{};
  return Preparation(request, places, facts, reporter).all();
}

void sort_mounts(std::vector<BundleMount>& mounts) {
  std::ranges::stable_sort(mounts, {}, [](const auto& mount) { return depth_of(mount.target); });
}

}  // namespace slipway::run
