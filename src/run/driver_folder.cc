#include "run/driver_folder.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "run/record.h"

namespace slipway::run {
namespace {

/// What the topmost layer that has `path` says of it: whether it is a folder.
bool is_image_folder(const RunRequest& request, const std::string& path, struct stat& status) {
  for (const std::string& layer : request.lower_folders) {
    if (::lstat(join_path(layer, path).c_str(), &status) == 0) return S_ISDIR(status.st_mode);
  }
  return false;
}

/// A small file in a folder of the image, as if it had been written after the start.
Result<void> write_above(const RunRequest& request, const std::string& upper_folder,
                         const std::string& folder, const char* name, std::string_view text) {
  struct stat of_image {};
  if (!is_image_folder(request, folder, of_image)) return {};
  const std::string above = join_path(upper_folder, folder);
  TRY(make_folders(above));
  // The upper folder's mode and owner are what shows inside.
  const UniqueFd fd = TRY(open_file(above, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (::fchown(fd.get(), of_image.st_uid, of_image.st_gid) != 0 ||
      ::fchmod(fd.get(), of_image.st_mode & 07777) != 0) {
    return errno_error(fmt::format("cannot make the container's `/{}`", folder));
  }
  const std::string path = join_path(above, name);
  TRY(write_scratch_file(path, text));
  if (::chmod(path.c_str(), 0644) != 0) return errno_error(fmt::format("cannot make `{}`", path));
  return {};
}

}  // namespace

Result<PreparedMounts> prepare_driver_folder(const DriverFiles& driver,
                                             const std::string& staging_folder) {
  PreparedMounts prepared;
  prepared.steps.push_back(make_folder_step(staging_folder));
  prepared.steps.push_back(
      make_mount("tmpfs", staging_folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m"));
  for (const std::string& library : driver.libraries) {
    UniqueFd file = TRY(copy_mount(library, Submounts::Without));
    TRY(make_read_only(file.get(), Submounts::Without));
    const std::string place = join_path(staging_folder, base_name(library));
    prepared.steps.push_back(make_file_step(place));
    prepared.steps.push_back(make_move_mount(file.get(), place));
    prepared.held.push_back(std::move(file));
  }
  for (const gpu::DriverLink& link : driver.links) {
    prepared.steps.push_back(make_link_step(join_path(staging_folder, link.name), link.target));
  }
  prepared.mounts.push_back({staging_folder, driver.folder, Access::ReadOnly});
  for (const Volume& program : driver.programs) {
    prepared.mounts.push_back({program.source, program.target, program.access});
  }
  return prepared;
}

Result<void> tell_loader(const RunRequest& request, const std::string& upper_folder) {
  if (request.driver.loader_cache.empty()) return {};
  TRY(write_above(request, upper_folder, "etc", "ld.so.cache", request.driver.loader_cache));
  const auto& compat = request.driver.compat;
  const std::string folders =
      (compat ? compat->folder + "\n" : std::string()) + request.driver.folder + "\n";
  return write_above(request, upper_folder, "etc/ld.so.conf.d", "000-slipway-driver.conf", folders);
}

}  // namespace slipway::run
