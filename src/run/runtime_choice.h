/// Which of the runtimes starts a container: the best one that works on this machine.
///
/// An image can make a runtime fail. That must not bring it another one, whose holes are others, so
/// a failure alone says nothing: a runtime is passed over only where it cannot start a container of
/// our own making either (runtime_probe.h), and another one can. That is kept in the folder of the
/// runs, for an hour and for that program, kernel and layout of control groups:
///
///   runtime-refused.<name>   the line that says what for, then what the runtime said
#pragma once

#include <string>
#include <vector>

#include "run/life.h"

namespace slipway::run {

/// What this machine makes of the first of `programs`, as found before; empty: nothing is known.
std::string known_refusal(const LifeRequest& life, const RuntimeProgram& program);

struct Refusal {
  std::string message;       ///< empty: the runtime works here
  bool other_works = false;  ///< asked only where there is a message
};
/// The first of `programs` did not start the container: what this machine makes of it, and of the
/// second. Kept for next time where that works. Empties the record's `live` folder. Fails as
/// `probe_runtime` does.
Result<Refusal> find_refusal(const LifeRequest& life, const std::vector<RuntimeProgram>& programs);

}  // namespace slipway::run
