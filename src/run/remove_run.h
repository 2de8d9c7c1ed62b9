/// `slipway rm`: the record of a run, and the files that it wrote.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "run/run_list.h"

namespace slipway::run {

/// Files that a run changed or made outside volumes, and outside /tmp, /run and the like.
struct Leftovers {
  std::vector<std::string> first;  ///< a few, as paths inside
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};
/// Walks the writable layer. What the runtime made to mount things on is left out.
Leftovers find_leftovers(const KnownRun& run);

enum class Discard { No, Yes };
enum class Stop { No, Yes };

/// Fails with Denied where it is running and `stop` is No, or has leftovers that `discard`
/// does not allow to lose: they are named. Two at once: one removes, the other is told NotFound.
Result<void> remove_run(const std::string& runs, const KnownRun& run, Stop stop, Discard discard);

}  // namespace slipway::run
