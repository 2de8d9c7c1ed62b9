/// From the process that was asked for a detached run to the monitor that it forks, and back: how
/// the start went.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway::run {

class Handover {
 public:
  static Result<Handover> create();

  // In the child.
  /// A session of its own, and none of the descriptors that the parent was given by others.
  void become_child();
  /// The same, and nothing that the parent itself had open is ours any more, its locks above all,
  /// but `kept`.
  void become_stranger(std::vector<int> kept = {});
  /// Once: afterwards the standard descriptors are /dev/null, and the parent knows.
  void say_started();
  void say_status(int status);
  void say_error(const Error& error);
  bool is_over() const { return !write_end_; }
  bool has_started() const { return has_started_; }

  // In the parent.
  /// Blocks. Nothing: it has started; a status: the command could not be run.
  Result<std::optional<int>> wait(pid_t child);

 private:
  void say(char what, std::string_view text);
  UniqueFd read_end_;
  UniqueFd write_end_;
  bool has_started_ = false;
};

}  // namespace slipway::run
