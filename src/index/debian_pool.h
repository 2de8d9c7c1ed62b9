/// libsolv, with what Debian means by its fields (deb-policy, chapters 3.8 and 7).
///
/// Recommends are not even read: nothing here installs them. Of each package only what solving and
/// fetching need is kept.
#pragma once

#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "index/debian_index.h"

namespace slipway::index {

class DebianPool {
 public:
  explicit DebianPool(std::string_view architecture);
  DebianPool(DebianPool&&) noexcept;
  DebianPool& operator=(DebianPool&&) noexcept;
  ~DebianPool();

  /// Adds the packages of a Packages file. `index` is the archive's name in the lock. A package of
  /// a lower `priority` gives way to any version of a higher one. Fails with Corrupt when a stanza
  /// lacks what we need; stanzas of other architectures are passed over.
  Result<void> add_packages(std::string_view text, std::string_view index, int priority = 0);

  /// What `add_packages` added last, in libsolv's own format. Fails with Io.
  Result<void> save_last(std::FILE* file);
  /// Takes a file of `save_last`; Corrupt when it is none.
  Result<void> load(std::FILE* file, std::string_view index, int priority = 0);

  /// As DebianIndex::add_installed; may be called for several files.
  Result<void> add_installed(std::string_view text);

  /// As DebianIndex::solve.
  Result<std::vector<DebFile>> solve(std::span<const std::string> packages,
                                     std::span<const DebPreference> preferences);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::index
