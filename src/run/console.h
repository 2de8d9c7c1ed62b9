/// The container's terminal, from outside.
///
/// The runtime makes a pseudo terminal in the container's own /dev/pts and hands its master over
/// through a Unix socket (SCM_RIGHTS), before the command starts.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway::run {

struct TerminalSize {
  unsigned short rows = 24;
  unsigned short columns = 80;
};

/// The end of a terminal that the container does not see.
class Console {
 public:
  /// Listens on `<folder>/console`. A byte is written to `go` when the terminal has its size: the
  /// command may start.
  static Result<Console> create(const std::string& folder, UniqueFd go);

  /// Readable once the runtime hands the terminal over; then call `accept`.
  int listener_fd() const { return master_ ? -1 : listener_.get(); }
  Result<void> accept(TerminalSize size);
  /// -1 until then. Does not block.
  int master_fd() const { return master_.get(); }
  void set_size(TerminalSize size) const;

 private:
  UniqueFd listener_;
  UniqueFd master_;
  UniqueFd go_;
};

/// Our own terminal, on standard input, in raw mode; at the end of its life as it was.
class RawTerminal {
 public:
  static RawTerminal enter();
  RawTerminal(RawTerminal&& other) noexcept;
  RawTerminal& operator=(RawTerminal&&) = delete;
  ~RawTerminal() { leave(); }
  void leave();

 private:
  RawTerminal() = default;
  std::optional<termios> old_modes_;
};

/// Of the terminal on standard input; nothing where there is none.
std::optional<TerminalSize> own_terminal_size();

}  // namespace slipway::run
