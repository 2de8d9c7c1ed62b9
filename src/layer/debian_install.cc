#include "layer/debian_install.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "layer/deb_archive.h"
#include "layer/debian_dpkg.h"
#include "layer/no_sync.h"

namespace slipway::layer {
namespace {

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
  // Packages that are added to the image later are treated alike.
  std::string configuration;
  for (const std::string_view line : kLeftOut) configuration += fmt::format("{}\n", line);
  TRY(make_file(join_path(tree, "etc/dpkg/dpkg.cfg.d/slipway"), configuration));
  return make_file(join_path(tree, kPolicyPath), kNoServices, 0755);
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

}  // namespace

Result<void> install_debs(std::span<const DebInput> debs, const std::string& tree_folder,
                          const CancelToken& cancel) {
  const DebOrder order = TRY(order_debs(debs));
  const auto base = std::span<const std::string>(order.paths).first(order.base_count);
  const auto rest = std::span<const std::string>(order.paths).subspan(order.base_count);

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
    const SandboxRequest room = debian_room(tree_folder);
    TRY(run_dpkg(room, {"--force-depends", "--install"}, base, cancel));
    TRY(run_dpkg(room, {"--force-depends", "--unpack"}, rest, cancel));
    return run_dpkg(room, {"--configure", "--pending"}, {}, cancel);
  };
  TRY(without_sync(run_all));
  return remove_file(join_path(tree_folder, kPolicyPath));
}

}  // namespace slipway::layer
