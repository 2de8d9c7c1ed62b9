#include "run/volumes.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/file.h"
#include "base/user_namespace.h"
#include "run/act_as.h"
#include "run/id_map.h"

namespace slipway::run {
namespace {

/// Where the opened file or folder lies, whatever links led there.
Result<std::string> place_of(const UniqueFd& opened) {
  char text[PATH_MAX];
  const std::string link = fmt::format("/proc/self/fd/{}", opened.get());
  const ssize_t size = ::readlink(link.c_str(), text, sizeof text);
  if (size < 0) return errno_error("cannot tell where a volume lies");
  return std::string(text, static_cast<std::size_t>(size));
}

/// What was opened is what is checked and what is mounted: links may change meanwhile.
Result<UniqueFd> open_source(const Volume& volume, const RunRequest& request,
                             bool& is_folder_source) {
  if (!volume.source.starts_with('/')) {
    return make_error(ErrorKind::InvalidInput, "volume source `{}` is no absolute path",
                      volume.source);
  }
  const ActAs caller(request.owner);
  const UniqueFd opened(::open(volume.source.c_str(), O_PATH | O_CLOEXEC));
  if (!opened && (errno == ENOENT || errno == ENOTDIR)) {
    return make_error(ErrorKind::NotFound, "volume source `{}` does not exist", volume.source)
        .hint(fmt::format("make it first: `mkdir -p {}`", volume.source));
  }
  if (!opened) return errno_error(fmt::format("cannot open volume source `{}`", volume.source));
  const std::string place = TRY(place_of(opened));
  const std::string store =
      request.store_folder.empty() ? request.store_folder : real_path(request.store_folder);
  TRY(check_volume_source(volume, place, store));
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) return errno_error("cannot look at a volume");
  is_folder_source = S_ISDIR(status.st_mode);
  return copy_opened_mount(opened.get(), volume.source, Submounts::With);
}

/// Swaps caller and image user on the mount, or says whose files result.
Result<void> map_owners(const UniqueFd& tree, const Volume& volume, const RunRequest& request,
                        Reporter& reporter) {
  if (in_user_namespace()) {
    const bool is_ours = request.uid == request.owner.uid || has_one_id();
    if (is_ours || volume.access == Access::ReadOnly) return {};
    reporter.warn(fmt::format(
        "what user {} writes to `{}` will belong to a subordinate id of yours, not to you: only "
        "user {} of the image is you",
        request.uid, volume.source, request.owner.uid));
    return {};
  }
  if (request.uid == request.owner.uid && request.gid == request.owner.gid) return {};
  const Result<UniqueFd> map =
      make_swap_namespace({request.owner.uid, request.uid}, {request.owner.gid, request.gid});
  Result<void> mapped = map.ok() ? set_id_map(tree.get(), map->get()) : Result<void>(map.error());
  if (mapped.ok()) return {};
  reporter.warn(fmt::format(
      "what user {} writes to `{}` will belong to user {} outside, not to you: its file system "
      "cannot be mounted with changed owners ({})",
      request.uid, volume.source, request.uid, mapped.error().message));
  return {};
}

/// A volume at a place of ours, from which the runtime takes it.
struct Staged {
  UniqueFd tree;
  BundleMount mount;
  mode_t kind = S_IFDIR;
};

Result<Staged> stage(const Volume& volume, const std::string& place, const RunRequest& request,
                     Reporter& reporter) {
  const std::string target = TRY(check_inside_path("volume target", volume.target));
  if (target == "/") {
    return make_error(ErrorKind::InvalidInput, "a volume cannot take the place of `/`");
  }
  bool is_folder_source = true;
  Staged staged{TRY(open_source(volume, request, is_folder_source)),
                {place, target, volume.access},
                static_cast<mode_t>(is_folder_source ? S_IFDIR : S_IFREG)};
  TRY(map_owners(staged.tree, volume, request, reporter));
  TRY(make_plain(staged.tree.get()));
  if (volume.access == Access::ReadOnly) TRY(make_read_only(staged.tree.get(), Submounts::With));
  TRY(make_mount_place(place, staged.kind));
  return staged;
}

/// The volume in which this one's place lies, if it lies in one: another container may write there
/// and swap folders for links while a runtime looks for the place (CVE-2021-30465,
/// CVE-2024-45310). So these are attached by us. By target, the less deep first.
const Staged* find_above(const std::vector<Staged>& staged, std::size_t index) {
  const std::string& target = staged[index].mount.target;
  for (std::size_t i = index; i-- > 0;) {
    const Staged& one = staged[i];
    const bool is_above = one.mount.target != target && is_within(target, one.mount.target);
    if (is_above && one.kind == S_IFDIR) return &one;
  }
  return nullptr;
}

}  // namespace

Result<std::string> check_inside_path(std::string_view what, std::string_view path) {
  if (!path.starts_with('/')) {
    return make_error(ErrorKind::InvalidInput, "{} `{}` is no absolute path", what, path);
  }
  std::string folded = TRY(absolute_path(path));
  for (const std::string_view closed : {"/proc", "/sys", "/dev"}) {
    if (is_within(folded, closed)) {
      return make_error(ErrorKind::InvalidInput, "{} `{}` lies in `{}`, which is the system's",
                        what, path, closed);
    }
  }
  return folded;
}

Result<void> check_volume_source(const Volume& volume, std::string_view place,
                                 const std::string& store_folder) {
  const std::string what = place == volume.source
                               ? fmt::format("`{}`", place)
                               : fmt::format("`{}` leads to `{}`, which", volume.source, place);
  for (const std::string_view closed : {"/proc", "/sys", "/dev"}) {
    if (is_within(place, closed) && !is_within(place, "/dev/shm")) {
      return make_error(ErrorKind::InvalidInput, "{} lies in `{}`, which is the system's", what,
                        closed)
          .hint("devices come in with `--device` and `--gpus`");
    }
  }
  if (volume.access == Access::ReadOnly) return {};
  if (place == "/") {
    return make_error(ErrorKind::InvalidInput, "{} would hand over the whole machine, writable",
                      what)
        .hint("mount the folder that is needed, or `-v /:INSIDE:ro` to look at it");
  }
  if (!store_folder.empty() && is_within(place, store_folder)) {
    return make_error(ErrorKind::InvalidInput,
                      "{} lies in Slipway's store, whose bytes images rely on", what)
        .hint("mount it read-only with `:ro`, or copy what is needed");
  }
  return {};
}

Result<PreparedMounts> prepare_volumes(const RunRequest& request, const std::string& staging_folder,
                                       Reporter& reporter) {
  PreparedMounts prepared;
  TRY(make_folders(staging_folder));
  std::vector<Staged> staged;
  for (const Volume& volume : request.volumes) {
    const std::string place = join_path(staging_folder, fmt::format("{}", staged.size()));
    staged.push_back(TRY(stage(volume, place, request, reporter)));
    prepared.steps.push_back(make_move_mount(staged.back().tree.get(), place));
  }
  // Whatever the order they were given in, none hides one below it.
  std::stable_sort(staged.begin(), staged.end(), [](const Staged& a, const Staged& b) {
    return depth_of(a.mount.target) < depth_of(b.mount.target);
  });
  // From the deepest on: what moves takes along what was attached below it.
  for (std::size_t i = staged.size(); i-- > 0;) {
    const Staged* above = find_above(staged, i);
    if (above == nullptr) continue;
    prepared.steps.push_back(make_attach_beneath(
        staged[i].tree.get(), above->mount.source,
        staged[i].mount.target.substr(above->mount.target.size() + 1), staged[i].kind));
  }
  for (std::size_t i = 0; i < staged.size(); ++i) {
    if (find_above(staged, i) == nullptr) prepared.mounts.push_back(staged[i].mount);
  }
  for (Staged& one : staged) prepared.held.push_back(std::move(one.tree));
  return prepared;
}

}  // namespace slipway::run
