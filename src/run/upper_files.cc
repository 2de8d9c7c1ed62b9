#include "run/upper_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "run/shown_files.h"

namespace slipway::run {
namespace {

/// As the topmost layer has it; nothing where none has.
std::optional<struct stat> find_in_image(const RunRequest& request, const std::string& path) {
  struct stat status {};
  for (const std::string& layer : request.lower_folders) {
    const Result<UniqueFd> root = open_file(layer, O_PATH | O_DIRECTORY);
    if (!root.ok()) continue;
    // A link that a folder of another layer hides must not lead out of this one.
    const Result<UniqueFd> fd = open_beneath(root->get(), path, O_PATH | O_NOFOLLOW);
    if (fd.ok() && ::fstat(fd->get(), &status) == 0) return status;
  }
  return std::nullopt;
}

/// The upper folder's mode and owner are what shows inside.
Result<void> dress_folder(const std::string& above, const struct stat& of_image) {
  const UniqueFd fd = TRY(open_file(above, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (::fchown(fd.get(), of_image.st_uid, of_image.st_gid) != 0 ||
      ::fchmod(fd.get(), of_image.st_mode & 07777) != 0) {
    return errno_error(fmt::format("cannot make the folder `{}`", above));
  }
  return {};
}

}  // namespace

bool is_image_folder(const RunRequest& request, const std::string& path) {
  const std::optional<struct stat> status = find_in_image(request, path);
  return status && S_ISDIR(status->st_mode);
}

Result<void> make_folder_above(const RunRequest& request, const std::string& upper_folder,
                               const std::string& path) {
  for (std::size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string part = path.substr(0, end);
    const std::string above = join_path(upper_folder, part);
    struct stat there {};
    if (::lstat(above.c_str(), &there) == 0) {
      if (S_ISDIR(there.st_mode)) continue;
      // A link that the container made in an earlier life would lead out of it.
      return make_error(ErrorKind::Denied, "the container itself replaced its folder `/{}`", part);
    }
    const std::optional<struct stat> of_image = find_in_image(request, part);
    if (of_image && !S_ISDIR(of_image->st_mode)) {
      return make_error(ErrorKind::InvalidInput, "`/{}` is no folder in this image", part);
    }
    TRY(make_shown_folder(above));
    if (of_image) TRY(dress_folder(above, *of_image));
  }
  return {};
}

Result<void> write_above(const RunRequest& request, const std::string& upper_folder,
                         const std::string& folder, const char* name, std::string_view text) {
  if (!is_image_folder(request, folder)) return {};
  TRY(make_folder_above(request, upper_folder, folder));
  const std::string path = join_path(join_path(upper_folder, folder), name);
  // That of an earlier life, or what the container put there.
  TRY(remove_file(path));
  return write_shown_file(path, text);
}

Result<void> link_above(const RunRequest& request, const std::string& upper_folder,
                        const std::string& folder, const std::string& name,
                        const std::string& target) {
  const std::string inside = join_path(folder, name);
  if (is_image_folder(request, inside)) {
    return make_error(ErrorKind::InvalidInput,
                      "`/{}` is a folder in this image, and can be no link", inside);
  }
  TRY(make_folder_above(request, upper_folder, folder));
  const std::string path = join_path(upper_folder, inside);
  TRY(remove_file(path));
  if (::symlink(target.c_str(), path.c_str()) != 0) {
    return errno_error(fmt::format("cannot make the link `{}`", path));
  }
  return {};
}

}  // namespace slipway::run
