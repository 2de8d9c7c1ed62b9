/// The folder of one run, gone afterwards; what killed runs left is swept by the next.
///
///   <parent>/run.<pid>.<random>/
///     lock          held (flock(2)) by the living run
///     upper, work   the overlay's changes
///     root          mount point, empty for everyone but the container's processes
///     volumes/<n>   mount points
///     bundle        config.json, files bound into /etc
///     state, log    the runtime's
///
/// The run's control group is named after the folder, so that a sweep can remove it too.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace slipway::run {

class Scratch {
 public:
  /// Sweeps first.
  static Result<Scratch> create(const std::string& parent);
  Scratch(Scratch&&) noexcept = default;
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();

  std::string path(std::string_view name) const { return join_path(folder_.path(), name); }
  std::string id() const { return "slipway-" + base_name(folder_.path()); }

 private:
  Scratch(TemporaryFolder folder, FileLock lock)
      : folder_(std::move(folder)), lock_(std::move(lock)) {}
  TemporaryFolder folder_;
  FileLock lock_;
};

/// A small file that need not survive a crash: no fsync(2), which would cost more than the start.
Result<void> write_scratch_file(const std::string& path, std::string_view text);

/// Removes what dead runs left in `parent`, their control groups included. Living ones are safe.
void sweep_scratch(const std::string& parent);

}  // namespace slipway::run
