/// A program in namespaces of its own that cannot outlive its Slipway.
///
/// Slipway starts a first process (process 1 of a new pid namespace, without threads, in a session
/// of its own: no terminal controls it), which does the steps, starts the program, passes signals
/// on and reaps. It dies with the thread of Slipway that started it, and the kernel then kills
/// everything in its namespace.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/sandbox_steps.h"
#include "base/unique_fd.h"

namespace slipway {

struct RoomRequest {
  unsigned long namespaces = 0;        ///< CLONE_NEW*, besides CLONE_NEWPID and CLONE_NEWNS
  std::vector<ChildStep> steps;        ///< done in the new namespaces, mounts already private
  std::vector<std::string> arguments;  ///< [0] is an absolute path, in the root the steps made
  std::vector<std::string> environment;
  std::string working_folder = "/";
  int input = 0;  ///< descriptors for 0, 1, 2; borrowed; no other one reaches the program
  int output = 1;
  int error_output = 2;

  /// New: as above. Here: the caller has entered another room's namespaces (setns(2)) and its
  /// children belong there; no namespaces are made, and a process left behind outlives the room.
  enum class Place { New, Here } place = Place::New;

  /// For a program (a container runtime) that makes a process, writes its process id to `pid_file`
  /// and leaves it behind. Where there are `start_arguments`, these start it, once `go_bytes` bytes
  /// were read from `go_fd`. The room then ends with that process, whose status it takes, and
  /// signals go there.
  struct LeftBehind {
    std::vector<std::string> start_arguments;
    std::string pid_file;
    int go_fd = -1;
    int go_bytes = 1;
  };
  std::optional<LeftBehind> left_behind;
};

struct RoomEnd {
  /// NothingLeft: the program ended well, and left no process behind where it should have.
  enum class Kind { Created, Started, Exited, StepFailed, ExecFailed, NothingLeft, Killed };
  Kind kind = Kind::Killed;
  int status = 0;        ///< Exited: as in ProcessResult
  int step = -1;         ///< StepFailed: which
  int error_number = 0;  ///< StepFailed, ExecFailed
};

/// At the end of its life the room is killed. Not for several threads at once.
class Room {
 public:
  /// The calling thread must live until the room ends. Fails with Denied, Unsupported, Io.
  static Result<Room> start(const RoomRequest& request);
  Room(Room&& other) noexcept;
  Room& operator=(Room&&) = delete;
  ~Room();

  /// The first process, as seen from here.
  pid_t pid() const { return pid_; }
  /// Readable when there is news.
  int report_fd() const { return report_.get(); }
  /// Only for a process left behind, and once at most: Created, where something is to start it (it
  /// waits for the word to go), then Started. Ending: `wait` returns soon.
  enum class News { None, Created, Started, Ending };
  News take_news();
  /// The process left behind, as a pidfd; -1 before the first news of it, and where the kernel
  /// gives none.
  int program_fd() const { return program_.get(); }

  /// The first process passes SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH on.
  void signal(int number) const;
  /// Any signal, straight to the process left behind. False where it has not started (yet).
  bool signal_program(int number) const;
  void kill() const;
  /// Blocks until everything in the room is gone. Once.
  RoomEnd wait();

 private:
  Room(pid_t pid, UniqueFd report) : pid_(pid), report_(std::move(report)) {}
  /// False at the end of the reports.
  bool receive(int flags);
  pid_t pid_ = -1;
  UniqueFd report_;
  UniqueFd program_;
  bool is_created_ = false;
  bool is_started_ = false;
  std::optional<RoomEnd> end_;
};

/// The Error for an end that was no exit. `program` is for the text.
Error room_error(const RoomEnd& end, const RoomRequest& request);

}  // namespace slipway
