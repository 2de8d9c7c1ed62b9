#include "layer/debian_install.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "layer/deb_archive.h"
#include "layer/no_sync.h"

namespace slipway::layer {
namespace {

// Services are not started while an image is made (deb-policy 9.3.3.2: 101 forbids).
constexpr std::string_view kPolicy = "#!/bin/sh\nexit 101\n";
constexpr std::string_view kPolicyPath = "usr/sbin/policy-rc.d";

// What a container has no use for stays out, by dpkg's own means, so that packages added to the
// image later are treated alike. Copyright files stay: licences ask for them.
constexpr std::string_view kDpkgConfiguration =
    "path-exclude=/usr/share/doc/*\n"
    "path-include=/usr/share/doc/*/copyright\n"
    "path-exclude=/usr/share/groff/*\n"
    "path-exclude=/usr/share/info/*\n"
    "path-exclude=/usr/share/lintian/*\n"
    "path-exclude=/usr/share/linda/*\n"
    "path-exclude=/usr/share/locale/*\n"
    "path-include=/usr/share/locale/locale.alias\n"
    "path-exclude=/usr/share/man/*\n";

Result<void> make_link(const std::string& target, const std::string& path) {
  if (::symlink(target.c_str(), path.c_str()) != 0) return errno_error(path);
  return {};
}

// The caller's umask must not show.
Result<void> set_mode(const std::string& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0) return errno_error(path);
  return {};
}

Result<void> make_folder(const std::string& path, mode_t mode = 0755) {
  TRY(make_folders(path));
  return set_mode(path, mode);
}

Result<void> make_file(const std::string& path, std::string_view text, mode_t mode = 0644) {
  TRY(write_file(path, text));
  return set_mode(path, mode);
}

/// The merged /usr (Debian's file system since bookworm), before anything is unpacked into it.
Result<void> make_skeleton(const std::string& tree) {
  TRY(make_folder(tree));
  TRY(make_folder(join_path(tree, "usr")));
  for (const std::string name : {"bin", "lib", "lib64", "sbin"}) {
    TRY(make_folder(join_path(tree, "usr/" + name)));
    TRY(make_link("usr/" + name, join_path(tree, name)));
  }
  for (const char* name :
       {"etc", "etc/dpkg", "etc/dpkg/dpkg.cfg.d", "dev", "proc", "run", "sys", "var", "var/lib",
        "var/lib/dpkg", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"}) {
    TRY(make_folder(join_path(tree, name)));
  }
  TRY(make_folder(join_path(tree, "tmp"), 01777));
  TRY(make_file(join_path(tree, "var/lib/dpkg/status"), ""));
  TRY(make_file(join_path(tree, "etc/dpkg/dpkg.cfg.d/slipway"), kDpkgConfiguration));
  return make_file(join_path(tree, kPolicyPath), kPolicy, 0755);
}

/// The users that packages' files and early scripts expect. base-passwd brings the list, and its
/// own script would copy it just so (passwd.master, group.master).
Result<void> seed_users(const std::string& tree) {
  for (const std::string name : {"passwd", "group"}) {
    const auto from = join_path(tree, "usr/share/base-passwd/" + name + ".master");
    if (!path_exists(from)) continue;
    const auto text = TRY(read_file(from));
    TRY(make_file(join_path(tree, "etc/" + name), text));
  }
  return {};
}

/// Each folder that holds packages, seen from inside as /tmp/debs/<n>.
struct DebFolders {
  std::map<std::string, std::string> inside_by_outside;

  std::string inside_path(const std::string& path) {
    const auto next = fmt::format("/tmp/debs/{}", inside_by_outside.size());
    const auto& folder = inside_by_outside.emplace(parent_path(path), next).first->second;
    return join_path(folder, base_name(path));
  }
  std::vector<SandboxBind> binds() const {
    std::vector<SandboxBind> binds;
    for (const auto& [outside, inside] : inside_by_outside) {
      binds.push_back({outside, inside, SandboxBind::Access::ReadOnly});
    }
    return binds;
  }
};

Error dpkg_error(const ProcessResult& result) {
  auto text = result.output + result.error_output;
  if (text.size() > 4000) text.erase(0, text.size() - 4000);
  return make_error(ErrorKind::Io,
                    "installing the Debian packages failed: dpkg ended with status {}",
                    result.status)
      .reason(std::move(text));
}

Result<void> run_dpkg(const std::string& tree, std::vector<std::string> options,
                      std::span<const std::string> paths, const CancelToken& cancel) {
  if (paths.empty() && options.back() != "--pending") return {};
  auto room = debian_room(tree);
  DebFolders folders;
  // Nobody needs the disk's promise for a tree that is thrown away when we are interrupted.
  room.arguments = {"/usr/bin/dpkg", "--force-unsafe-io", "--force-confold"};
  room.arguments.insert(room.arguments.end(), options.begin(), options.end());
  for (const auto& path : paths) room.arguments.push_back(folders.inside_path(path));
  room.binds = folders.binds();
  const auto result = TRY(run_in_sandbox(room, cancel));
  if (result.status != 0) return dpkg_error(result);
  return {};
}

}  // namespace

SandboxRequest debian_room(const std::string& tree_folder) {
  SandboxRequest room;
  room.root = tree_folder;
  room.tmp = SandboxRequest::Tmp::Fresh;
  room.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      "HOME=/root",
                      "LC_ALL=C.UTF-8",
                      "TERM=dumb",
                      "DEBIAN_FRONTEND=noninteractive",
                      "DEBCONF_NONINTERACTIVE_SEEN=true",
                      "PERL_HASH_SEED=0",
                      "PYTHONHASHSEED=0",
                      fmt::format("SOURCE_DATE_EPOCH={}", kLayerTime)};
  return room;
}

Result<void> install_debs(std::span<const DebInput> debs, const std::string& tree_folder,
                          const CancelToken& cancel) {
  std::vector<DebInput> sorted(debs.begin(), debs.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const DebInput& a, const DebInput& b) { return a.package < b.package; });
  std::vector<DebControl> controls;
  for (const auto& deb : sorted) {
    const auto text = TRY_WHILE("reading " + deb.package, read_deb_control(deb.path));
    controls.push_back(TRY_WHILE("reading " + deb.package, parse_deb_control(text)));
  }
  const auto plan = plan_install_order(controls);
  std::vector<std::string> paths;
  for (const auto index : plan.order) paths.push_back(sorted[index].path);
  const auto base = std::span<const std::string>(paths).first(plan.base_count);
  const auto rest = std::span<const std::string>(paths).subspan(plan.base_count);

  TRY(make_skeleton(tree_folder));
  for (const auto& path : base) {
    TRY(cancel.check());
    TRY(unpack_deb(path, tree_folder));
  }
  TRY(seed_users(tree_folder));
  // The base depends on itself in circles; all of it is unpacked, so every script can run. For the
  // rest Pre-Depends would want one more run of dpkg for each link of a chain. What a preinst can
  // rely on is there without: unpacked before it, on a base that is configured.
  const auto run_all = [&]() -> Result<void> {
    TRY(run_dpkg(tree_folder, {"--force-depends", "--install"}, base, cancel));
    TRY(run_dpkg(tree_folder, {"--force-depends", "--unpack"}, rest, cancel));
    return run_dpkg(tree_folder, {"--configure", "--pending"}, {}, cancel);
  };
  TRY(without_sync(run_all));
  return remove_file(join_path(tree_folder, kPolicyPath));
}

}  // namespace slipway::layer
