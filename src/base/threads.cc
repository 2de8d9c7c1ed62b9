#include "base/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

namespace slipway {

void Gate::open() {
  const std::lock_guard lock(mutex_);
  is_open_ = true;
  changed_.notify_all();
}

Result<void> Gate::wait(const CancelToken& cancel) const {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::milliseconds(50), [&] { return is_open_; })) {
    TRY(cancel.check());
  }
  return {};
}

std::size_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(std::max(CPU_COUNT(&set), 1));
}

Result<void> for_each_parallel(std::size_t count, std::size_t workers, const CancelToken& cancel,
                               const std::function<Result<void>(std::size_t)>& work) {
  return for_each_parallel(count, workers, cancel,
                           [&](std::size_t index, const CancelToken&) { return work(index); });
}

Result<void> for_each_parallel(
    std::size_t count, std::size_t workers, const CancelToken& cancel,
    const std::function<Result<void>(std::size_t, const CancelToken&)>& work) {
  struct Failure {
    std::size_t index;
    Error error;
  };
  std::atomic<std::size_t> next{0};
  const CancelToken stop = cancel.child();
  Guarded<std::optional<Failure>> first;

  const auto loop = [&] {
    while (!stop.cancelled()) {
      const std::size_t index = next.fetch_add(1);
      if (index >= count) return;
      Result<void> result = work(index, stop);
      if (result.ok()) continue;
      stop.cancel();
      first.with([&](std::optional<Failure>& failure) {
        // Those that stopped because another one failed have nothing to say.
        const bool was_stopped = result.error().kind == ErrorKind::Cancelled;
        const bool other_was = failure && failure->error.kind == ErrorKind::Cancelled;
        if (!failure || (was_stopped == other_was ? index < failure->index : other_was)) {
          failure = Failure{index, std::move(result).error()};
        }
      });
    }
  };

  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(workers, count); ++i) threads.emplace_back(loop);
  loop();
  threads.clear();

  std::optional<Failure> failure = first.with([](auto& value) { return std::move(value); });
  if (failure) return std::move(failure->error);
  return cancel.check();
}

std::vector<std::size_t> largest_first(std::span<const std::uint64_t> sizes) {
  std::vector<std::size_t> order(sizes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  return order;
}

}  // namespace slipway
