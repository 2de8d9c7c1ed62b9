#include "run/driver_folder.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "run/record.h"

namespace slipway::run {
namespace {

ChildStep make_file_step(std::string path) {
  ChildStep step;
  step.call = ChildStep::Call::MakeFile;
  step.path = std::move(path);
  return step;
}

ChildStep make_link_step(std::string path, std::string target) {
  ChildStep step;
  step.call = ChildStep::Call::MakeLink;
  step.path = std::move(path);
  step.source = std::move(target);
  return step;
}

/// What the topmost layer that has an /etc says of it.
bool find_etc(const RunRequest& request, struct stat& status) {
  for (const std::string& layer : request.lower_folders) {
    if (::lstat(join_path(layer, "etc").c_str(), &status) == 0) return S_ISDIR(status.st_mode);
  }
  return false;
}

}  // namespace

Result<PreparedDriver> prepare_driver_folder(const DriverFiles& driver,
                                             const std::string& staging_folder) {
  PreparedDriver prepared;
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
  for (const DriverFiles::Link& link : driver.links) {
    prepared.steps.push_back(make_link_step(join_path(staging_folder, link.name), link.target));
  }
  prepared.mounts.push_back({staging_folder, driver.folder, Access::ReadOnly});
  for (const Volume& program : driver.programs) {
    prepared.mounts.push_back({program.source, program.target, program.access});
  }
  return prepared;
}

Result<void> write_loader_cache(const RunRequest& request, const std::string& upper_folder) {
  struct stat image_etc {};
  if (!find_etc(request, image_etc)) return {};
  const std::string etc = join_path(upper_folder, "etc");
  TRY(make_folders(etc));
  // The upper folder's mode and owner are what shows inside.
  const UniqueFd folder = TRY(open_file(etc, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (::fchown(folder.get(), image_etc.st_uid, image_etc.st_gid) != 0 ||
      ::fchmod(folder.get(), image_etc.st_mode & 07777) != 0) {
    return errno_error("cannot make the container's /etc");
  }
  const std::string path = join_path(etc, "ld.so.cache");
  TRY(write_scratch_file(path, request.driver.loader_cache));
  if (::chmod(path.c_str(), 0644) != 0) return errno_error("cannot make the loader's cache");
  return {};
}

}  // namespace slipway::run
