#include <fcntl.h>
#include <sys/stat.h>

#include "store/files.h"
#include "store/store.h"
#include "store/store_lock.h"

namespace slipway::store {
namespace {

constexpr std::string_view kSettled = "settled\n";

std::string boot_state(const std::string& boot_id) { return "boot " + boot_id + "\n"; }

}  // namespace

std::string Store::layer_path(const Digest& diff_id) const {
  return inside("layers/" + diff_id.hex());
}

std::string Store::state_path(const Digest& diff_id) const {
  return inside("layer-states/" + diff_id.hex());
}

bool Store::has_layer(const Digest& diff_id) const {
  if (!is_folder(layer_path(diff_id))) return false;
  const Result<std::string> state = read_file(state_path(diff_id));
  return state.ok() &&
         (*state == kSettled || (!boot_id_.empty() && *state == boot_state(boot_id_)));
}

Result<TemporaryFolder> Store::make_layer_folder() const {
  return TemporaryFolder::create(inside("tmp"), "layer");
}

Result<void> Store::adopt_layer(TemporaryFolder folder, const Digest& diff_id) const {
  if (::chmod(folder.path().c_str(), 0755) != 0) {
    return errno_error(fmt::format("cannot set the mode of `{}`", folder.path()));
  }
  if (boot_id_.empty()) TRY(sync_file_system(folder.path()));
  // Under a lock, so that nobody moves a twin away as spoilt while it is being put there.
  const FileLock lock = TRY(FileLock::lock(inside("locks/layers")));
  if (has_layer(diff_id)) return {};
  const std::string path = layer_path(diff_id);
  if (path_exists(path)) {  // from before the last boot: some of its bytes may never have arrived
    TemporaryFolder spoilt = TRY(TemporaryFolder::create(inside("tmp"), "spoilt"));
    TRY(rename_path(path, join_path(spoilt.path(), "tree")));
  }
  // The state first: a folder without one does not count, and a state without a folder neither.
  const std::string state = boot_id_.empty() ? std::string(kSettled) : boot_state(boot_id_);
  TRY(place_text(inside("tmp"), state_path(diff_id), state, owner_, Durable::No));
  TRY(rename_path(folder.path(), path));
  folder.keep();
  return {};
}

Result<void> Store::make_layer_once(const Digest& diff_id, const FillFolder& fill,
                                    Reporter& reporter, const CancelToken& cancel) const {
  if (has_layer(diff_id)) return {};
  const std::string lock = inside("locks/trees");
  const UniqueFd fd = TRY(open_file(lock, O_RDWR | O_CREAT));
  TRY(give_to(fd.get(), lock, owner_));
  TRY(wait_for_flock(fd.get(), LockMode::Exclusive, lock, reporter, cancel));
  if (has_layer(diff_id)) return {};
  TemporaryFolder folder = TRY(make_layer_folder());
  TRY(fill(folder.path()));
  return adopt_layer(std::move(folder), diff_id);
}

Result<std::size_t> Store::settle_layers() const {
  std::vector<Digest> waiting;
  for (const std::string& name : TRY(list_folder(inside("layer-states")))) {
    const Result<Digest> diff_id = parse_digest(name);
    if (!diff_id.ok() || !has_layer(*diff_id)) continue;
    const Result<std::string> state = read_file(state_path(*diff_id));
    if (state.ok() && *state != kSettled) waiting.push_back(*diff_id);
  }
  if (waiting.empty()) return std::size_t{0};
  TRY_WHILE("settling layers", sync_file_system(home_));
  for (const Digest& diff_id : waiting) {
    TRY(place_text(inside("tmp"), state_path(diff_id), kSettled, owner_, Durable::No));
  }
  TRY_WHILE("settling layers", sync_file_system(home_));
  return waiting.size();
}

}  // namespace slipway::store
