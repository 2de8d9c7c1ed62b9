#include "run/record.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <thread>

#include "base/clock.h"
#include "base/process_stat.h"
#include "run/limits.h"
#include "run/run_name.h"

namespace slipway::run {
namespace {

constexpr int kLongestDying = 10'000;  // milliseconds
constexpr int kRemovals = 200;
constexpr std::chrono::milliseconds kBetweenRemovals{5};

Result<void> give(const std::string& path, Owner owner) {
  if (owner.uid == ::geteuid() && owner.gid == ::getegid()) return {};
  if (::lchown(path.c_str(), owner.uid, owner.gid) == 0) return {};
  return errno_error(fmt::format("cannot change the owner of `{}`", path));
}

Result<void> make_owned_folder(const std::string& path, Owner owner, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return give(path, owner);
  if (errno == EEXIST) return {};
  return errno_error(fmt::format("cannot make folder `{}`", path));
}

/// Removes the empty groups called `name` wherever they are under the first levels of the tree.
void remove_groups(const std::string& name) {
  if (::rmdir(fmt::format("{}/slipway/{}", kCgroupFolder, name).c_str()) == 0) return;
  const Result<std::vector<std::string>> controllers = list_folder(kCgroupFolder);
  if (!controllers.ok()) return;
  for (const std::string& controller : *controllers) {
    ::rmdir(fmt::format("{}/{}/slipway/{}", kCgroupFolder, controller, name).c_str());
  }
}

std::string link_target(const std::string& path) {
  char text[256];
  const ssize_t size = ::readlink(path.c_str(), text, sizeof text);
  return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

/// The kernel takes the overlay of a dead room apart a little later than the room, and tidies its
/// work folder then: what is removed meanwhile may be gone already, or not empty any more.
Result<void> remove_patiently(const std::string& path) {
  Result<void> removed = remove_tree(path);
  for (int tries = 0; !removed.ok() && tries < kRemovals; ++tries) {
    std::this_thread::sleep_for(kBetweenRemovals);
    removed = remove_tree(path);
  }
  return removed;
}

Result<void> remove_life(const std::string& folder) {
  TRY(remove_patiently(join_path(folder, "live")));
  return remove_patiently(join_path(folder, "work"));
}

Result<void> claim_name(const std::string& runs, const RunFacts& facts) {
  const std::string path = fmt::format("{}/names/{}", runs, facts.name);
  for (int tries = 0; tries < 2; ++tries) {
    if (::symlink(facts.id.c_str(), path.c_str()) == 0) return {};
    if (errno != EEXIST) return errno_error(fmt::format("cannot make `{}`", path));
    const std::string id = link_target(path);
    if (!id.empty() && is_folder(join_path(runs, id))) {
      return make_error(ErrorKind::Denied, "the name `{}` is taken by the run {}", facts.name,
                        id.substr(0, 12))
          .hint(fmt::format("`slipway rm {}` frees it; another `--name` does too", facts.name));
    }
    ::unlink(path.c_str());  // a killed removal left it
  }
  return make_error(ErrorKind::Io, "cannot take the name `{}`", facts.name);
}

Result<void> name_run(const std::string& runs, RunFacts& facts) {
  if (!facts.name.empty()) {
    TRY(check_run_name(facts.name));
    return claim_name(runs, facts);
  }
  for (int tries = 0;; ++tries) {
    facts.name = make_run_name(TRY(random_bytes(8)), tries);
    const Result<void> claimed = claim_name(runs, facts);
    if (claimed.ok() || claimed.error().kind != ErrorKind::Denied || tries > 20) return claimed;
  }
}

void sweep_one(const std::string& runs, const std::string& id) {
  const std::string folder = join_path(runs, id);
  const std::string mark = fmt::format("{}/living/{}", runs, id);
  if (!is_folder(folder)) {
    ::unlink(mark.c_str());
    return;
  }
  const Result<std::optional<FileLock>> lock = FileLock::try_lock(join_path(folder, "lock"));
  if (!lock.ok() || !lock->has_value()) return;
  const Result<std::string> facts_text = read_file(join_path(folder, "run.json"));
  const Result<RunFacts> facts =
      facts_text.ok() ? parse_run_facts(*facts_text) : Result<RunFacts>(facts_text.error());
  const Result<std::string> state_text = read_file(join_path(folder, "state.json"));
  Result<RunState> state =
      state_text.ok() ? parse_run_state(*state_text) : Result<RunState>(state_text.error());
  if (state.ok()) wait_for_room(*state);
  remove_groups(RunRecord::group_name_of(id));
  if (!facts.ok() || facts->removes_itself) {
    (void)remove_record(runs, id, facts.ok() ? facts->name : "");
    return;
  }
  (void)remove_life(folder);
  if (state.ok() && state->status != RunStatus::Exited) {
    state->status = RunStatus::Lost;
    state->exit_status = 137;
    (void)write_file(join_path(folder, "state.json"), write_run_state(*state));
  }
  ::unlink(mark.c_str());
}

void sweep_locked(const std::string& runs) {
  const Result<std::vector<std::string>> ids = list_folder(join_path(runs, "living"));
  if (!ids.ok()) return;
  for (const std::string& id : *ids) sweep_one(runs, id);
}

Result<FileLock> lock_records(const std::string& runs) {
  return FileLock::lock(join_path(runs, "records.lock"));
}

}  // namespace

std::string namespace_of(pid_t pid, const char* kind) {
  return link_target(fmt::format("/proc/{}/ns/{}", pid, kind));
}

std::string own_namespace(const char* kind) {
  return link_target(fmt::format("/proc/self/ns/{}", kind));
}

Result<void> write_scratch_file(const std::string& path, std::string_view text) {
  const UniqueFd fd = TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL));
  FdSink sink(fd.get());
  return sink.write(as_bytes(text));
}

std::uint64_t birth_of(pid_t pid) {
  const Result<std::string> text = read_file(fmt::format("/proc/{}/stat", pid));
  if (!text.ok()) return 0;
  const std::string_view started = process_stat_field(*text, kStartTimeField);
  std::uint64_t birth = 0;
  (void)std::from_chars(started.data(), started.data() + started.size(), birth);
  return birth;
}

void wait_for_room(const RunState& state) {
  if (state.room_pid <= 0) return;
  const UniqueFd room(static_cast<int>(::syscall(SYS_pidfd_open, state.room_pid, 0)));
  if (!room || birth_of(state.room_pid) != state.room_birth) return;
  pollfd one{room.get(), POLLIN, 0};
  while (::poll(&one, 1, kLongestDying) < 0 && errno == EINTR) {
  }
}

void sweep_records(const std::string& runs) {
  if (!is_folder(runs)) return;
  const Result<FileLock> lock = lock_records(runs);
  if (lock.ok()) sweep_locked(runs);
}

Result<void> remove_record(const std::string& runs, const std::string& id,
                           const std::string& name) {
  const std::string folder = join_path(runs, id);
  remove_groups(RunRecord::group_name_of(id));
  // The name last but one, so that it is free only when the run is gone; the mark last.
  TRY(remove_patiently(folder));
  const std::string name_path = fmt::format("{}/names/{}", runs, name);
  // It may be another's: this one could not have it.
  if (!name.empty() && link_target(name_path) == id) ::unlink(name_path.c_str());
  ::unlink(fmt::format("{}/living/{}", runs, id).c_str());
  return {};
}

Result<RunRecord> RunRecord::create(const std::string& runs, RunFacts facts, Owner owner) {
  TRY(make_folders(parent_path(runs)));
  TRY(make_owned_folder(runs, owner, 0700));
  // Held until the new record has its own lock: a sweep must not see it without.
  const FileLock all = TRY(lock_records(runs));
  TRY(give(join_path(runs, "records.lock"), owner));
  for (const char* part : {"names", "living"}) {
    TRY(make_owned_folder(join_path(runs, part), owner, 0700));
  }
  sweep_locked(runs);
  facts.id = hex_text(TRY(random_bytes(16)));
  facts.created = utc_now();
  TRY(make_owned_folder(join_path(runs, facts.id), owner, 0700));
  std::optional<FileLock> lock =
      TRY(FileLock::try_lock(join_path(join_path(runs, facts.id), "lock")));
  if (!lock) return make_error(ErrorKind::Io, "the run {} is locked by another", facts.id);
  RunRecord record(runs, std::move(facts), owner, std::move(*lock));
  TRY(give(record.path("lock"), owner));
  TRY(name_run(runs, record.facts_));
  if (::symlink(".", fmt::format("{}/living/{}", runs, record.facts_.id).c_str()) != 0) {
    return errno_error("cannot note a new run");
  }
  TRY(record.write_text("run.json", write_run_facts(record.facts_)));
  RunState state;
  state.monitor_pid = ::getpid();
  TRY(record.write_state(state));
  return record;
}

Result<RunRecord> RunRecord::resume(const std::string& runs, RunFacts facts, Owner owner) {
  const std::string folder = join_path(runs, facts.id);
  const std::string lock_path = join_path(folder, "lock");
  // Held until the record has its lock again: a removal must not come between.
  const FileLock all = TRY(lock_records(runs));
  sweep_locked(runs);
  if (!path_exists(lock_path)) {
    return make_error(ErrorKind::NotFound, "the run `{}` is gone", facts.name);
  }
  std::optional<FileLock> lock = TRY(FileLock::try_lock(lock_path));
  if (!lock) {
    // A monitor that has told of the end lets go of it right after.
    const std::string text = TRY(read_file(join_path(folder, "state.json")));
    const RunState state = TRY(parse_run_state(text));
    if (state.status != RunStatus::Exited) {
      return make_error(ErrorKind::Denied, "the run `{}` is running", facts.name);
    }
    lock = TRY(FileLock::lock(lock_path));
  }
  RunRecord record(runs, std::move(facts), owner, std::move(*lock));
  record.keep();
  ::unlink(record.path("socket").c_str());
  const std::string mark = fmt::format("{}/living/{}", runs, record.facts_.id);
  if (::symlink(".", mark.c_str()) != 0 && errno != EEXIST) {
    return errno_error("cannot note that a run lives");
  }
  TRY(record.write_text("run.json", write_run_facts(record.facts_)));
  RunState state;
  state.monitor_pid = ::getpid();
  TRY(record.write_state(state));
  return record;
}

RunRecord::RunRecord(RunRecord&& other) noexcept
    : runs_(std::move(other.runs_)),
      folder_(std::exchange(other.folder_, {})),
      facts_(std::move(other.facts_)),
      owner_(other.owner_),
      lock_(std::move(other.lock_)),
      removes_(other.removes_) {}

RunRecord::~RunRecord() {
  if (folder_.empty() || !removes_) return;
  ::umount2(path("live").c_str(), MNT_DETACH);
  (void)remove_record(runs_, facts_.id, facts_.name);
}

Result<void> RunRecord::write_state(const RunState& state) const {
  return write_text("state.json", write_run_state(state));
}

Result<void> RunRecord::write_text(const std::string& name, std::string_view text) const {
  const std::string temporary = path(name + ".tmp");
  ::unlink(temporary.c_str());
  TRY(write_scratch_file(temporary, text));
  TRY(give(temporary, owner_));
  return rename_path(temporary, path(name));
}

Result<void> RunRecord::start_life() const {
  if (path_exists(path("live"))) TRY(clear_life());  // of an attempt that failed
  TRY(make_folders(path("live"), 0711));
  if (::mount("tmpfs", path("live").c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0711") == 0) {
    return {};
  }
  return errno_error(fmt::format("cannot mount `{}`", path("live")));
}

Result<void> RunRecord::clear_life() const {
  remove_groups(group_name());
  ::umount2(path("live").c_str(), MNT_DETACH);
  return remove_life(folder_);
}

Result<void> RunRecord::remove() {
  ::umount2(path("live").c_str(), MNT_DETACH);
  TRY(remove_record(runs_, facts_.id, facts_.name));
  folder_.clear();
  return {};
}

void RunRecord::note_end() {
  ::unlink(fmt::format("{}/living/{}", runs_, facts_.id).c_str());
  lock_.reset();
}

}  // namespace slipway::run
