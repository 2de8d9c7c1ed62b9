/// The record of a run: a folder of its own under `runs` in the store.
///
///   <id>/lock              held (flock(2)) by the monitor: while it is, the run goes on
///   <id>/run.json          what it was asked to be
///   <id>/request.json      the flags that are not in there, for `start` (plan/kept_flags.h)
///   <id>/state.json        how it is
///   <id>/receipt.json      what it really got
///   <id>/log, log.1, …     what it wrote, where it is detached (log_file.h)
///   <id>/socket            where the monitor listens (wire.h)
///   <id>/upper, <id>/work  changes to the image's tree; overlayfs's own
///   <id>/live/             one life: mount points, the bundle, the runtime's state and log, in
///                          memory, as the monitor and the room see it (for others it is empty)
///   names/<name>           a link to <id>: two runs cannot have one name
///   living/<id>            those whose end nobody has noted yet
///   records.lock           held while one of the above is made or removed
///
/// A dead holder of the lock cannot have left a running container: the monitor's death is that of
/// its room (base/sandbox_room.h). So a state that says "running" under a free lock says "lost".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "run/container.h"
#include "run/run_facts.h"

namespace slipway::run {

class RunRecord {
 public:
  /// Fills in `facts.id`, and the name where there is none; sweeps first. Without `keep`, the end
  /// of the object is the end of the record. Fails with Denied (the name is taken), InvalidInput
  /// (it is none), Io.
  static Result<RunRecord> create(const std::string& runs, RunFacts facts, Owner owner);
  /// The record of a run that has ended, for one more life: it goes on under its id. The end of the
  /// object is not that of the record. Fails with Denied (it goes on), NotFound, Io.
  static Result<RunRecord> resume(const std::string& runs, RunFacts facts, Owner owner);
  RunRecord(RunRecord&& other) noexcept;
  RunRecord& operator=(RunRecord&&) = delete;
  ~RunRecord();

  const RunFacts& facts() const { return facts_; }
  const std::string& folder() const { return folder_; }
  std::string path(std::string_view name) const { return join_path(folder_, name); }
  std::string live(std::string_view name) const { return join_path(path("live"), name); }
  /// Of its control group and for the runtime.
  std::string group_name() const { return group_name_of(facts_.id); }
  static std::string group_name_of(std::string_view id) { return fmt::format("slipway-{}", id); }

  Result<void> write_state(const RunState& state) const;
  Result<void> write_text(const std::string& name, std::string_view text) const;
  /// What one life left: its folders and its control group. Everything in it is dead.
  Result<void> clear_life() const;
  /// An empty `live` for the next, in memory: the file system would keep each of its files longer
  /// than a container takes to start. This process must have a mount namespace of its own.
  Result<void> start_life() const;

  Result<void> remove();
  void keep() { removes_ = false; }
  /// A child that was forked goes on with it: the end of this object is nothing.
  void leave_to_child() { folder_.clear(); }
  /// Nobody has to look after it any more, and anybody may remove it: the lock is given back.
  void note_end();

 private:
  RunRecord(std::string runs, RunFacts facts, Owner owner, FileLock lock)
      : runs_(std::move(runs)),
        folder_(join_path(runs_, facts.id)),
        facts_(std::move(facts)),
        owner_(owner),
        lock_(std::move(lock)) {}
  std::string runs_;
  std::string folder_;
  RunFacts facts_;
  Owner owner_;
  std::optional<FileLock> lock_;
  bool removes_ = true;
};

/// Notes the end of runs whose monitor died, and removes those that were to remove themselves.
void sweep_records(const std::string& runs);

/// Removes what is there of a run whose lock the caller holds.
Result<void> remove_record(const std::string& runs, const std::string& id, const std::string& name);

/// Waits (ten seconds at most) until that process and with it everything in its room is dead.
void wait_for_room(const RunState& state);
/// Field 22 of proc_pid_stat(5); 0 where there is no such process.
std::uint64_t birth_of(pid_t pid);

/// namespaces(7): `net:[4026531840]` for the kind `net`; empty where we may not look, or there is
/// no such process.
std::string namespace_of(pid_t pid, const char* kind);
std::string own_namespace(const char* kind);

/// A small file that need not survive a crash: no fsync(2), which would cost more than the start.
Result<void> write_scratch_file(const std::string& path, std::string_view text);

}  // namespace slipway::run
