/// The container's terminal, seen from ours: bytes to and fro, the window's size, raw mode.
///
/// The runtime makes a pseudo terminal in the container's own /dev/pts and hands its master over
/// through a Unix socket (SCM_RIGHTS), before the command starts.
#pragma once

#include <poll.h>
#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "run/container.h"

namespace slipway::run {

/// Standard input must be a terminal. At the end of its life that has its old modes again.
class Console {
 public:
  /// Listens on `<folder>/console`.
  static Result<Console> create(const std::string& folder, Input input);
  Console(Console&& other) noexcept;
  Console& operator=(Console&&) = delete;
  ~Console();

  /// A byte comes here when the master has our terminal's size: the command may start.
  int go_fd() const { return go_read_.get(); }
  /// After the room has started.
  void close_child_side() { go_read_.reset(); }

  /// What `serve` waits for.
  void add_polls(std::vector<pollfd>& polls) const;
  /// Moves what can be moved. Blocks only on our own output.
  Result<void> serve();
  void copy_size() const;
  /// Everything in the container is dead: shows what it wrote last, and restores the modes.
  void finish();

 private:
  Console() = default;
  Result<void> accept_master();
  void make_raw();
  bool copy_output();  ///< false: there is no more for now
  void copy_input();

  UniqueFd listener_;
  UniqueFd master_;
  UniqueFd go_read_;
  UniqueFd go_write_;
  std::optional<termios> old_modes_;
  std::string to_type_;  ///< read from our terminal, not yet taken by the container's
  bool has_input_ = false;
};

}  // namespace slipway::run
