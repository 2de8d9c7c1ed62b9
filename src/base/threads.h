/// Shared state and parallel work.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"

namespace slipway {

/// A value that can be reached only through its lock: `guarded.with([](T& value) { … })`.
template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}

  template <typename F>
  decltype(auto) with(F&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<F>(use)(value_);
  }

 private:
  std::mutex mutex_;
  T value_{};
};

/// Something that happens once, and that others wait for.
class Gate {
 public:
  void open();
  /// Blocks until it is open. Fails with Cancelled, within a tenth of a second.
  Result<void> wait(const CancelToken& cancel) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool is_open_ = false;
};

/// The cores that this process may use (its affinity mask), at least 1.
std::size_t usable_cores();

/// Calls `work(i)` for every i below `count`, on up to `workers` threads, in rising order of start.
/// Blocks until all that were started have ended. After a failure or a cancel no further one is
/// started; the failure with the lowest index is returned.
Result<void> for_each_parallel(std::size_t count, std::size_t workers, const CancelToken& cancel,
                               const std::function<Result<void>(std::size_t)>& work);

/// The same for work that can be long: the token that it gets is cancelled by `cancel`, and as soon
/// as another one fails.
Result<void> for_each_parallel(
    std::size_t count, std::size_t workers, const CancelToken& cancel,
    const std::function<Result<void>(std::size_t, const CancelToken&)>& work);

/// The order in which to start pieces of work of these sizes, so that no core is left alone with a
/// large one at the end: indices, the largest first, equals in their order.
std::vector<std::size_t> largest_first(std::span<const std::uint64_t> sizes);

}  // namespace slipway
