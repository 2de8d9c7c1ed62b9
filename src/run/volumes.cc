#include "run/volumes.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/user_namespace.h"
#include "run/act_as.h"
#include "run/id_map.h"

namespace slipway::run {
namespace {

Result<UniqueFd> open_source(const Volume& volume, const Owner& owner, bool& is_folder_source) {
  if (!volume.source.starts_with('/')) {
    return make_error(ErrorKind::InvalidInput, "volume source `{}` is no absolute path",
                      volume.source);
  }
  const ActAs caller(owner);
  Result<UniqueFd> tree = copy_mount(volume.source, Submounts::With);
  if (!tree.ok()) {
    Error error = std::move(tree).error();
    if (error.kind == ErrorKind::NotFound) {
      return make_error(ErrorKind::NotFound, "volume source `{}` does not exist", volume.source)
          .hint(fmt::format("make it first: `mkdir -p {}`", volume.source));
    }
    return error;
  }
  struct stat status {};
  if (::fstat(tree->get(), &status) != 0) return errno_error("cannot look at a volume");
  is_folder_source = S_ISDIR(status.st_mode);
  return tree;
}

/// Swaps caller and image user on the mount, or says whose files result.
Result<void> map_owners(const UniqueFd& tree, const Volume& volume, const RunRequest& request,
                        Reporter& reporter) {
  if (in_user_namespace()) {
    if (request.uid == request.owner.uid || volume.access == Access::ReadOnly) return {};
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

}  // namespace

Result<std::string> check_inside_path(std::string_view what, std::string_view path) {
  if (!path.starts_with('/')) {
    return make_error(ErrorKind::InvalidInput, "{} `{}` is no absolute path", what, path);
  }
  std::string folded = TRY(absolute_path(path));
  for (const std::string_view closed : {"/proc", "/sys", "/dev"}) {
    const bool is_inside = folded.starts_with(closed) &&
                           (folded.size() == closed.size() || folded[closed.size()] == '/');
    if (is_inside) {
      return make_error(ErrorKind::InvalidInput, "{} `{}` lies in `{}`, which is the system's",
                        what, path, closed);
    }
  }
  return folded;
}

Result<PreparedMounts> prepare_volumes(const RunRequest& request, const std::string& staging_folder,
                                       Reporter& reporter) {
  PreparedMounts prepared;
  TRY(make_folders(staging_folder));
  for (std::size_t i = 0; i < request.volumes.size(); ++i) {
    const Volume& volume = request.volumes[i];
    const std::string target = TRY(check_inside_path("volume target", volume.target));
    if (target == "/") {
      return make_error(ErrorKind::InvalidInput, "a volume cannot take the place of `/`");
    }
    bool is_folder_source = true;
    UniqueFd tree = TRY(open_source(volume, request.owner, is_folder_source));
    TRY(map_owners(tree, volume, request, reporter));
    if (volume.access == Access::ReadOnly) TRY(make_read_only(tree.get(), Submounts::With));
    const std::string place = join_path(staging_folder, fmt::format("{}", i));
    if (is_folder_source) {
      TRY(make_folders(place));
    } else {
      (void)TRY(open_file(place, O_WRONLY | O_CREAT | O_EXCL));
    }
    prepared.steps.push_back(make_move_mount(tree.get(), place));
    prepared.mounts.push_back({place, target, volume.access});
    prepared.held.push_back(std::move(tree));
  }
  return prepared;
}

}  // namespace slipway::run
