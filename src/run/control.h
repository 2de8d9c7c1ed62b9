/// What other processes ask of a run: through the socket of its monitor.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "run/run_list.h"

namespace slipway::run {

/// Fails with Denied where it is not running.
Result<void> signal_run(const KnownRun& run, int number);

/// The signal, and SIGKILL `seconds` later (-1: never). Blocks until it has ended; its status. Fine
/// where it has ended already.
Result<int> stop_run(const KnownRun& run, int number, int seconds);

/// Blocks until the life that goes on has ended; its status.
Result<int> wait_for_run(const KnownRun& run);

struct AttachWish {
  enum class Reads { Input, Nothing } reads = Reads::Input;
  std::string detach_keys = "\x10\x11";  ///< ctrl-p ctrl-q; empty: none
  enum class Signals { PassedOn, Ours } signals = Signals::PassedOn;
};
struct AttachEnd {
  enum class Kind { Ended, Detached } kind = Kind::Ended;
  int status = 0;
};
/// Shows what the run writes from now on, and passes on what is typed. Blocks until it ends, or
/// until the detach keys are typed on a terminal. Fails with Denied where it cannot be
/// attached to, Io where the connection is lost.
Result<AttachEnd> attach_to_run(const KnownRun& run, const AttachWish& wish);
/// The same through a connection that is attached already (DetachedStart::attached).
Result<AttachEnd> attach_through(UniqueFd connection, const KnownRun& run, const AttachWish& wish);

/// `TERM`, `SIGTERM` or `15`. InvalidInput suggests the nearest. Pure.
Result<int> parse_signal(std::string_view text);

/// `ctrl-p,ctrl-q`, `ctrl-]`, `a`: Docker's way to write keys. Pure.
Result<std::string> parse_detach_keys(std::string_view text);

}  // namespace slipway::run
