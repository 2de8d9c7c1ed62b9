#include "run/scratch.h"

#include <fcntl.h>
#include <unistd.h>

#include <vector>

namespace slipway::run {
namespace {

constexpr const char* kPrefix = "run";

/// Removes the empty groups called `id` wherever they are under the first levels of the tree.
void remove_groups(const std::string& id) {
  const std::string root = "/sys/fs/cgroup";
  const Result<std::vector<std::string>> controllers = list_folder(root);
  if (!controllers.ok()) return;
  std::vector<std::string> parents{root + "/slipway"};
  for (const std::string& name : *controllers) parents.push_back(root + "/" + name + "/slipway");
  for (const std::string& parent : parents) ::rmdir(join_path(parent, id).c_str());
}

void sweep_locked(const std::string& parent) {
  const Result<std::vector<std::string>> names = list_folder(parent);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (!name.starts_with(std::string(kPrefix) + ".")) continue;
    const std::string folder = join_path(parent, name);
    if (!is_folder(folder)) continue;
    const Result<std::optional<FileLock>> lock = FileLock::try_lock(join_path(folder, "lock"));
    if (!lock.ok() || !lock->has_value()) continue;
    remove_groups("slipway-" + name);
    (void)remove_tree(folder);
  }
}

}  // namespace

Result<void> write_scratch_file(const std::string& path, std::string_view text) {
  const UniqueFd fd = TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL));
  FdSink sink(fd.get());
  return sink.write(as_bytes(text));
}

void sweep_scratch(const std::string& parent) {
  if (!is_folder(parent)) return;
  const Result<FileLock> sweeping = FileLock::lock(join_path(parent, "sweep.lock"));
  if (sweeping.ok()) sweep_locked(parent);
}

Result<Scratch> Scratch::create(const std::string& parent) {
  TRY(make_folders(parent));
  // Held until the new folder has its own lock: a sweep must not see it without.
  const FileLock sweeping = TRY(FileLock::lock(join_path(parent, "sweep.lock")));
  sweep_locked(parent);
  TemporaryFolder folder = TRY(TemporaryFolder::create(parent, kPrefix));
  std::optional<FileLock> lock = TRY(FileLock::try_lock(join_path(folder.path(), "lock")));
  if (!lock) return make_error(ErrorKind::Io, "`{}` is locked by another", folder.path());
  return Scratch(std::move(folder), std::move(*lock));
}

Scratch::~Scratch() {
  if (!folder_.path().empty()) remove_groups(id());
}

}  // namespace slipway::run
