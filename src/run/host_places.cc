#include "run/host_places.h"

#include <sys/stat.h>

#include "base/file.h"

namespace slipway::run {
namespace {

bool is_of_kind(mode_t mode, HostPlace::Kind kind) {
  switch (kind) {
    case HostPlace::Kind::Folder:
      return S_ISDIR(mode);
    case HostPlace::Kind::Socket:
      return S_ISSOCK(mode);
    case HostPlace::Kind::File:
      break;
  }
  return S_ISREG(mode);
}

}  // namespace

Result<PreparedMounts> prepare_host_places(const RunRequest& request,
                                           const std::string& staging_folder) {
  PreparedMounts prepared;
  if (request.host_places.empty()) return prepared;
  TRY(make_folders(staging_folder));
  for (std::size_t i = 0; i < request.host_places.size(); ++i) {
    const HostPlace& place = request.host_places[i];
    UniqueFd tree = TRY(copy_mount(place.source, Submounts::Without));
    struct stat status {};
    if (::fstat(tree.get(), &status) != 0) return errno_error("cannot look at a file of the host");
    if (!is_of_kind(status.st_mode, place.kind)) {
      return make_error(ErrorKind::Unsupported, "`{}` has become something else", place.source);
    }
    const bool is_socket = place.kind == HostPlace::Kind::Socket;
    if (!is_socket) TRY(make_read_only(tree.get(), Submounts::Without));
    const std::string staged = join_path(staging_folder, fmt::format("{}", i));
    TRY(make_mount_place(staged, status.st_mode));
    prepared.steps.push_back(make_move_mount(tree.get(), staged));
    // To speak through a socket is to write to it; nothing of it is ever executed.
    prepared.mounts.push_back({staged, place.target,
                               is_socket ? Access::ReadWrite : Access::ReadOnly,
                               is_socket ? Programs::Forbidden : Programs::Allowed});
    prepared.held.push_back(std::move(tree));
  }
  return prepared;
}

}  // namespace slipway::run
