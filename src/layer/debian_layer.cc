#include "layer/debian_layer.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "layer/bytecode_script.h"
#include "layer/debian_dpkg.h"
#include "layer/debian_entries.h"
#include "layer/debian_install.h"
#include "layer/debian_normalise.h"

namespace slipway::layer {
namespace {

// Rises when the steps here, the normalising or the dpkg configuration give other bytes.
constexpr int kDebianVersion = 1;

/// `.py` files below a folder of the tree, as paths without leading slash.
Result<void> list_sources(const std::string& tree, const std::string& folder,
                          std::vector<std::string>& sources) {
  for (const auto& name : TRY(list_folder(join_path(tree, folder)))) {
    const auto path = folder + "/" + name;
    struct stat status {};
    if (::lstat(join_path(tree, path).c_str(), &status) != 0) return errno_error(path);
    if (S_ISDIR(status.st_mode)) {
      TRY(list_sources(tree, path, sources));
    } else if (S_ISREG(status.st_mode) && name.ends_with(".py")) {
      sources.push_back(path);
    }
  }
  return {};
}

/// Debian's own Python modules: a read-only container could not keep bytecode of its own.
Result<void> compile_system_python(const std::string& tree, const DebianLayerOptions& options,
                                   const CancelToken& cancel) {
  const auto python = fmt::format("python{}.{}", options.python_major, options.python_minor);
  if (!path_exists(join_path(tree, "usr/bin/" + python))) return {};
  std::vector<std::string> sources;
  for (const auto& folder :
       {"usr/lib/" + python, fmt::format("usr/lib/python{}", options.python_major)}) {
    if (is_folder(join_path(tree, folder))) TRY(list_sources(tree, folder, sources));
  }
  std::sort(sources.begin(), sources.end());
  SandboxRequest room;
  room.root = tree;
  return compile_in_sandbox(std::move(room), "/usr/bin/" + python, "", "", sources, cancel);
}

Result<void> make_loader_cache(const std::string& tree, const CancelToken& cancel) {
  if (!path_exists(join_path(tree, "usr/sbin/ldconfig"))) return {};
  auto room = debian_room(tree);
  room.arguments = {"/usr/sbin/ldconfig"};
  const auto result = TRY(run_in_sandbox(room, cancel));
  if (result.status == 0) return {};
  return make_error(ErrorKind::Io, "ldconfig ended with status {}", result.status)
      .reason(result.error_output);
}

}  // namespace

Digest debian_layer_key(std::span<const DebInput> debs, const DebianLayerOptions& options) {
  std::vector<std::string> lines;
  for (const auto& deb : debs)
    lines.push_back(fmt::format("{} {}\n", deb.package, deb.sha256.hex()));
  std::sort(lines.begin(), lines.end());
  return sha256(fmt::format("debian {} {}\npython {}.{}\n{}", kLayoutVersion, kDebianVersion,
                            options.python_major, options.python_minor, fmt::join(lines, "")));
}

std::vector<std::string> always_included_debs(int python_major, int python_minor) {
  // The reasons stand in docs/decisions/0004-debian-base.md.
  static_cast<void>(python_minor);
  return {"ca-certificates", "catatonit",  "libgcc-s1",     fmt::format("python{}", python_major),
          "libgomp1",        "libstdc++6", "usr-is-merged", "zlib1g"};
}

Result<LayerFacts> build_debian_layer(std::span<const DebInput> debs,
                                      const DebianLayerOptions& options,
                                      const std::string& tree_folder, Sink& blob,
                                      Reporter& reporter, const CancelToken& cancel) {
  const auto task = reporter.start("installing", fmt::format("{} Debian packages", debs.size()), 0);
  const auto make_tree = [&]() -> Result<void> {
    TRY(install_debs(debs, tree_folder, cancel));
    TRY(make_loader_cache(tree_folder, cancel));
    TRY(normalise_debian_tree(tree_folder));  // takes all bytecode away
    TRY(compile_system_python(tree_folder, options, cancel));
    return fix_times(tree_folder);
  };
  auto made = make_tree();
  reporter.finish(task);
  TRY_WHILE("making the Debian base", std::move(made));
  return write_layer(TRY(read_tree_entries(tree_folder)), blob, nullptr, cancel);
}

}  // namespace slipway::layer
