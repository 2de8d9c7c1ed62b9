#include "run/driver_folder.h"

#include <sys/mount.h>

#include "base/file.h"
#include "run/upper_files.h"

namespace slipway::run {

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
