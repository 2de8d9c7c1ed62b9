#include "layer/debian_addition.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <functional>

#include "base/file.h"
#include "layer/bytecode_script.h"
#include "layer/debian_changes.h"
#include "layer/debian_dpkg.h"
#include "layer/no_sync.h"

namespace slipway::layer {
namespace {

// Rises when the steps here, or what is left out, give other bytes.
constexpr int kAdditionVersion = 1;

/// The base below an overlay, whose upper folder takes what is done to it.
class Cover {
 public:
  static Result<Cover> create(const std::string& scratch, std::vector<std::string> lowers) {
    Cover cover(TRY(TemporaryFolder::create(scratch, "debs")), std::move(lowers));
    for (const std::string& path : {cover.upper(), cover.path("work"), cover.path("root")}) {
      TRY(make_folders(path));
      // It is the image's root, whatever our umask is.
      if (::chmod(path.c_str(), 0755) != 0) return errno_error(path);
    }
    return cover;
  }

  std::string path(const char* name) const { return join_path(folder_.path(), name); }
  std::string upper() const { return path("upper"); }
  const std::vector<std::string>& lowers() const { return lowers_; }

  /// debian_room in it, where no service starts.
  SandboxRequest room() const {
    SandboxRequest room = debian_room(path("root"));
    room.overlay = {{lowers_, upper(), path("work")}};
    return room;
  }

 private:
  Cover(TemporaryFolder folder, std::vector<std::string> lowers)
      : folder_(std::move(folder)), lowers_(std::move(lowers)) {}

  TemporaryFolder folder_;
  std::vector<std::string> lowers_;
};

std::vector<std::string> folders_of(const std::vector<TreeLayer>& base) {
  std::vector<std::string> folders;
  for (auto layer = base.rbegin(); layer != base.rend(); ++layer) folders.push_back(layer->path);
  return folders;
}

/// dpkg in three runs, as for a base of our own. What is being replaced may break others until they
/// are replaced as well, and an order for that is apt's art: here the end counts, which the last
/// run looks at without any force.
Result<void> install(std::span<const DebInput> debs, const Cover& cover,
                     const CancelToken& cancel) {
  const DebOrder order = TRY(order_debs(debs));
  const auto paths = std::span<const std::string>(order.paths);
  const std::string policy = cover.path("policy");
  TRY(write_file(policy, kNoServices));
  if (::chmod(policy.c_str(), 0755) != 0) return errno_error(policy);
  SandboxRequest room = cover.room();
  room.binds = {{policy, fmt::format("/{}", kPolicyPath), SandboxBind::Access::ReadOnly}};
  std::vector<std::string> force{"--force-depends", "--force-breaks", "--force-conflicts",
                                 "--auto-deconfigure"};
  for (const std::string_view line : kLeftOut) force.push_back(fmt::format("--{}", line));
  const auto with = [&](const char* action) {
    std::vector<std::string> options = force;
    options.emplace_back(action);
    return options;
  };
  return without_sync([&]() -> Result<void> {
    TRY(run_dpkg(room, with("--install"), paths.first(order.base_count), cancel));
    TRY(run_dpkg(room, with("--unpack"), paths.subspan(order.base_count), cancel));
    return run_dpkg(room, {"--configure", "--pending"}, {}, cancel);
  });
}

Result<void> make_loader_cache(const Cover& cover, const CancelToken& cancel) {
  SandboxRequest room = cover.room();
  room.arguments = {"/sbin/ldconfig"};
  const auto result = TRY(run_in_sandbox(room, cancel));
  if (result.status == 0 || result.status == 127) return {};
  return make_error(ErrorKind::Io, "ldconfig ended with status {}", result.status)
      .reason(result.error_output);
}

/// What an overlay may keep back from its upper folder, by the machine's settings of the module.
Result<void> check_overlay_marks(const std::string& folder) {
  for (const auto& name : TRY(list_folder(folder))) {
    const auto path = join_path(folder, name);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return errno_error(path);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) continue;
    for (const char* mark : {"trusted.overlay.metacopy", "trusted.overlay.redirect"}) {
      if (::lgetxattr(path.c_str(), mark, nullptr, 0) < 0) continue;
      return make_error(ErrorKind::Unsupported,
                        "this kernel's overlayfs keeps `{}` back from the upper folder", mark)
          .hint("load the module `overlay` with `metacopy=off redirect_dir=off`");
    }
    if (S_ISDIR(status.st_mode)) TRY(check_overlay_marks(path));
  }
  return {};
}

/// The compiled files, by their path in the image. Of the base only what is above the sources is
/// seen, and nothing is written to it.
Result<std::map<std::string, std::string>> compile(const std::vector<std::string>& sources,
                                                   const Cover& cover,
                                                   const AdditionOptions& options,
                                                   const std::string& output,
                                                   const CancelToken& cancel) {
  std::map<std::string, std::string> files;
  if (sources.empty()) return files;
  std::vector<std::string> lowers = cover.lowers();
  lowers.insert(lowers.begin(), cover.upper());
  const Cover second = TRY(Cover::create(options.scratch_folder, std::move(lowers)));
  SandboxRequest room = second.room();
  room.binds = {{output, "/srv", SandboxBind::Access::ReadWrite}};
  TRY(compile_in_sandbox(std::move(room), options.interpreter, "", "/srv", sources, cancel));
  const std::function<Result<void>(const std::string&)> list =
      [&](const std::string& relative) -> Result<void> {
    for (const auto& name : TRY(list_folder(join_path(output, relative)))) {
      const auto path = relative.empty() ? name : relative + "/" + name;
      if (is_folder(join_path(output, path))) {
        TRY(list(path));
      } else {
        files[path] = join_path(output, path);
      }
    }
    return {};
  };
  TRY(list(""));
  return files;
}

/// The base's etc/shadow, as its topmost layer has it.
std::string find_shadow(const std::vector<TreeLayer>& base) {
  for (auto layer = base.rbegin(); layer != base.rend(); ++layer) {
    const auto path = join_path(layer->path, "etc/shadow");
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const auto text = read_file(path);
    return text ? *text : std::string();
  }
  return {};
}

}  // namespace

Result<LayerFacts> build_debian_addition(std::span<const DebInput> debs,
                                         const AdditionOptions& options, Sink& blob,
                                         Reporter& reporter, const CancelToken& cancel) {
  const Cover cover = TRY(Cover::create(options.scratch_folder, folders_of(options.base)));
  const auto task = reporter.start("installing", fmt::format("{} Debian packages", debs.size()), 0);
  const auto made = [&]() -> Result<void> {
    TRY(install(debs, cover, cancel));
    TRY(make_loader_cache(cover, cancel));
    return check_overlay_marks(cover.upper());
  }();
  reporter.finish(task);
  if (!made) return made.error();

  std::vector<TreeLayer> after = options.base;
  after.push_back({sha256(cover.upper()), cover.upper()});
  const auto changes = TRY(compare_trees(options.base, after, CompareOwners::Yes, cancel));
  const TemporaryFolder output = TRY(TemporaryFolder::create(options.scratch_folder, "bytecode"));
  const bool is_of_system = options.interpreter.starts_with("/usr/bin/python3.");
  const auto sources = is_of_system ? sources_to_compile(changes, base_name(options.interpreter))
                                    : std::vector<std::string>();
  const auto bytecode = TRY_WHILE("compiling the packages' Python files",
                                  compile(sources, cover, options, output.path(), cancel));
  auto entries = TRY(change_entries(changes, cover.upper(), bytecode, find_shadow(options.base)));
  return write_layer(std::move(entries), blob, nullptr, cancel);
}

Digest debian_addition_key(std::span<const DebInput> debs, std::span<const Digest> base_diff_ids,
                           const std::string& interpreter) {
  std::vector<std::string> lines;
  for (const auto& deb : debs)
    lines.push_back(fmt::format("{} {}\n", deb.package, deb.sha256.hex()));
  std::sort(lines.begin(), lines.end());
  std::string text = fmt::format("debian addition {} {}\npython {}\n", kLayoutVersion,
                                 kAdditionVersion, interpreter);
  for (const auto& id : base_diff_ids) text += fmt::format("on {}\n", id.hex());
  return sha256(fmt::format("{}{}", text, fmt::join(lines, "")));
}

}  // namespace slipway::layer
