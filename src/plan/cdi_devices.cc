#include "plan/cdi_devices.h"

#include <algorithm>
#include <array>

#include "base/environment.h"
#include "base/file.h"
#include "base/user_namespace.h"
#include "cdi/hooks.h"
#include "gpu/extra_devices.h"
#include "plan/cdi_loader.h"
#include "plan/run_words.h"

namespace slipway::plan {
namespace {

constexpr std::string_view kGpuKind = "nvidia.com/gpu";

std::vector<std::string> folders_of(const RunFlags& flags) {
  std::vector<std::string> folders;
  for (const std::string& folder : flags.cdi_folders) {
    folders.push_back(join_path(flags.folder, folder));
  }
  if (!folders.empty()) return folders;
  const std::optional<std::string> listed = find_environment("SLIPWAY_CDI_SPEC_DIRS");
  if (!listed) return cdi::default_folders();
  for (std::size_t begin = 0; begin <= listed->size();) {
    const std::size_t end = std::min(listed->find(':', begin), listed->size());
    if (end > begin) folders.push_back(join_path(flags.folder, listed->substr(begin, end - begin)));
    begin = end + 1;
  }
  return folders;
}

/// `all`, `0`, `0:1`, `GPU-…`, `MIG-…`: what Slipway finds out itself.
bool means_gpu(std::string_view name) {
  return name == "all" || name.starts_with("GPU-") || name.starts_with("MIG-") ||
         name.find_first_not_of("0123456789:") == std::string_view::npos;
}

/// Without these nodes no GPU can be had but by a file.
bool has_driver_nodes() { return path_exists("/dev/nvidiactl") || path_exists("/dev/dxg"); }

/// Whether the name is left to run_gpu.h, which says what there is where it finds none.
bool stays_ours(const std::string& text, const cdi::Catalogue& catalogue) {
  const Result<cdi::QualifiedName> name = cdi::parse_qualified_name(text);
  if (!name.ok() || name->kind != kGpuKind) return false;
  return (means_gpu(name->device) && has_driver_nodes()) || !cdi::has_device(catalogue, *name);
}

/// Surely, without a look at any file.
bool is_plainly_ours(const std::string& text) {
  const std::string prefix = fmt::format("{}=", kGpuKind);
  return text.starts_with(prefix) && means_gpu(std::string_view(text).substr(prefix.size())) &&
         has_driver_nodes();
}

template <typename... Args>
Error unsupported(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(ErrorKind::Unsupported, format, std::forward<Args>(args)...);
}

std::string list_of(const cdi::Selection& selection) {
  return fmt::format("{}", fmt::join(selection.names, "`, `"));
}

run::InjectedNode node_of(const cdi::DeviceNode& node) {
  run::InjectedNode made;
  made.source = node.host_path.empty() ? node.path : node.host_path;
  made.target = node.path;
  if (!node.type.empty()) made.type = node.type[0];
  made.major = node.major;
  made.minor = node.minor;
  if (node.file_mode) made.mode = *node.file_mode & 0777;
  if (node.permissions != "none") made.access = node.permissions;
  if (node.permissions.empty()) made.access = "rwm";
  made.uid = node.uid;
  made.gid = node.gid;
  return made;
}

Result<void> check_numbers(const cdi::DeviceNode& node) {
  constexpr std::int64_t kMost = 0xffffffff;
  if (node.major >= 0 && node.major <= kMost && node.minor >= 0 && node.minor <= kMost) return {};
  return make_error(ErrorKind::InvalidInput,
                    "the CDI device node `{}` has no possible number: {}:{}", node.path, node.major,
                    node.minor);
}

/// What Slipway does with a bind in any case, and what makes no difference.
bool is_passed_over(std::string_view option) {
  static constexpr std::array<std::string_view, 13> kSame{
      "bind", "rbind",   "private",    "rprivate", "nosuid",     "nodev",      "rw",
      "exec", "noatime", "nodiratime", "relatime", "norelatime", "strictatime"};
  return std::ranges::find(kSame, option) != kSame.end();
}

Result<run::InjectedMount> bind_of(const cdi::Mount& mount) {
  if (!mount.host_path.starts_with('/')) {
    return make_error(ErrorKind::InvalidInput, "the CDI mount `{}` is no absolute path",
                      mount.host_path);
  }
  run::InjectedMount made{
      TRY(absolute_path(mount.host_path)), TRY(absolute_path(mount.container_path)), {}};
  if (!mount.container_path.starts_with('/')) {
    return make_error(ErrorKind::InvalidInput,
                      "the place of the CDI mount `{}` is no absolute path", mount.container_path);
  }
  for (const std::string& option : mount.options) {
    if (option == "ro" || option == "noexec") {
      made.options.push_back(option);
    } else if (!is_passed_over(option)) {
      return unsupported("the CDI mount `{}` wants `{}`, which Slipway does not give",
                         mount.container_path, option);
    }
  }
  return made;
}

Result<void> add_mount(const cdi::Mount& mount, run::RunRequest& request) {
  if (mount.type == "tmpfs") {
    std::string text = mount.container_path;
    std::string_view separator = ":";
    for (const std::string& option : mount.options) {
      text += fmt::format("{}{}", separator, option);
      separator = ",";
    }
    request.tmpfs.push_back(TRY_WHILE("reading a mount of a CDI file", parse_tmpfs(text)));
    return {};
  }
  if (!mount.type.empty() && mount.type != "bind" && mount.type != "none") {
    return unsupported("the CDI mount `{}` is of type `{}`: only binds and tmpfs can be had",
                       mount.container_path, mount.type);
  }
  request.injection.mounts.push_back(TRY(bind_of(mount)));
  return {};
}

/// Where the folder of a link really lies in the image: links on the way are worked off.
std::string real_folder(const std::string& folder, const ImageFiles& files) {
  if (folder.empty() || folder == "/") return "/";
  if (is_within(folder, "/dev")) return folder;
  if (const auto found = files.find(folder)) return found->path;
  return join_path(real_folder(parent_path(folder), files), base_name(folder));
}

Result<void> add_link(const cdi::HookLink& wanted, const ImageFiles& files,
                      run::RunRequest& request) {
  const std::string path = TRY(absolute_path(wanted.path));
  run::InjectedLink link{real_folder(parent_path(path), files), base_name(path), wanted.target};
  const auto covers = [&](const auto& mount) { return is_within(link.folder, mount.target); };
  const bool is_covered = std::ranges::any_of(request.injection.mounts, covers) ||
                          std::ranges::any_of(request.volumes, covers) ||
                          std::ranges::any_of(request.tmpfs, covers);
  if (is_covered) {
    return unsupported("a CDI file wants the link `{}` in a folder that is mounted from the host",
                       path);
  }
  std::erase_if(request.injection.links, [&](const auto& one) {
    return one.folder == link.folder && one.name == link.name;
  });
  request.injection.links.push_back(std::move(link));
  return {};
}

/// Numbers of the host's groups: a user namespace has others under them.
void add_groups(const cdi::Selection& selection, run::RunRequest& request, Reporter& reporter) {
  for (const std::uint32_t gid : selection.edits.additional_gids) {
    auto& gids = request.additional_gids;
    if (gid == 0 || std::ranges::find(gids, gid) != gids.end()) continue;
    if (in_user_namespace()) {
      reporter.warn(fmt::format(
          "`{}` wants group {} of this machine, which only root can pass on: nodes that are for it "
          "alone are closed inside",
          list_of(selection), gid));
    } else {
      gids.push_back(gid);
    }
  }
}

Result<void> add_hooks(const RunFlags& flags, const ImageFiles& files, run::RunRequest& request,
                       Reporter& reporter) {
  std::vector<std::string> folders;
  for (const cdi::Hook& hook : flags.cdi->edits.hooks) {
    const std::optional<cdi::HookEffects> effects = cdi::find_effects(hook);
    if (!effects) {
      const std::string named = cdi::describe_hook(hook);
      if (flags.hooks == RunFlags::Hooks::Refused) {
        return unsupported("`{}` wants a hook, and Slipway runs none: {}", list_of(*flags.cdi),
                           named)
            .reason(
                "a program that is started in an image's tree has been the way out of containers")
            .hint("`--without-hooks` does without it, if the device works then");
      }
      reporter.warn(fmt::format("`{}` does without a hook: {}", list_of(*flags.cdi), named));
      request.injection.left_out.push_back(named);
      continue;
    }
    for (const cdi::HookLink& link : effects->links) TRY(add_link(link, files, request));
    for (const std::string& folder : effects->loader_folders) {
      std::string folded = TRY(absolute_path(folder));
      if (std::ranges::find(folders, folded) == folders.end()) folders.push_back(std::move(folded));
    }
  }
  return add_loader_names(folders, files, request);
}

}  // namespace

Result<void> find_cdi_devices(RunFlags& flags) {
  const auto may_be = [](const std::string& text) {
    return cdi::looks_qualified(text) && !is_plainly_ours(text) && !gpu::is_extra_device(text);
  };
  if (std::ranges::none_of(flags.devices, may_be)) return {};
  const cdi::Catalogue catalogue = cdi::read_catalogue(folders_of(flags));
  std::vector<std::string> wanted, others;
  for (const std::string& text : flags.devices) {
    const bool is_wanted = may_be(text) && !stays_ours(text, catalogue);
    (is_wanted ? wanted : others).push_back(text);
  }
  if (wanted.empty()) return {};
  flags.cdi = TRY(cdi::select_devices(catalogue, wanted));
  flags.devices = std::move(others);
  return {};
}

Result<void> add_cdi_devices(const RunFlags& flags, const ImageFiles& files,
                             run::RunRequest& request, Reporter& reporter) {
  if (!flags.cdi) return {};
  const cdi::Edits& edits = flags.cdi->edits;
  if (!edits.net_devices.empty()) {
    return unsupported("`{}` wants the network interface `{}`, which Slipway cannot move",
                       list_of(*flags.cdi), edits.net_devices.front().host_interface);
  }
  if (edits.intel_rdt) {
    return unsupported("`{}` wants a class of Intel's RDT, which Slipway does not set",
                       list_of(*flags.cdi));
  }
  request.injection.names = flags.cdi->names;
  request.injection.files = flags.cdi->files;
  for (const std::string& variable : edits.environment) {
    set_variable(request.environment, variable);
  }
  for (const cdi::DeviceNode& node : edits.nodes) {
    TRY(check_numbers(node));
    request.injection.nodes.push_back(node_of(node));
  }
  for (const cdi::Mount& mount : edits.mounts) TRY(add_mount(mount, request));
  add_groups(*flags.cdi, request, reporter);
  return add_hooks(flags, files, request, reporter);
}

}  // namespace slipway::plan
