/// Each answer is worked out once, by whoever comes first. Internal to index.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/threads.h"
#include "index/job_pool.h"

namespace slipway::index {

template <typename T>
class Memo {
 public:
  using Future = std::shared_future<Result<T>>;
  using Work = std::function<Result<T>()>;

  /// Answers that nobody began to work out become Cancelled. No job may run any more.
  ~Memo() {
    entries_.with([](Entries& entries) {
      for (auto& [key, entry] : entries) {
        entry->work = [] { return make_error(ErrorKind::Cancelled, "stopped on request"); };
        entry->run_once();
      }
    });
  }

  /// Hands the work to the pool when nobody asked before.
  Future start(const std::string& key, Work work, JobPool& pool) {
    const auto [entry, is_new] = find_or_add(key, std::move(work));
    if (is_new) pool.submit([entry = entry] { entry->run_once(); });
    return entry->future;
  }

  /// Works it out on this thread when nobody has begun to, even if it waits in the pool.
  Result<T> get(const std::string& key, Work work) {
    const auto [entry, is_new] = find_or_add(key, std::move(work));
    entry->run_once();
    return entry->future.get();
  }

 private:
  struct Entry {
    std::atomic<bool> is_taken = false;
    std::promise<Result<T>> promise;
    Future future = promise.get_future().share();
    Work work;

    void run_once() {
      if (is_taken.exchange(true)) return;
      promise.set_value(work());
      work = nullptr;
    }
  };
  using EntryPointer = std::shared_ptr<Entry>;
  using Entries = std::unordered_map<std::string, EntryPointer>;

  std::pair<EntryPointer, bool> find_or_add(const std::string& key, Work work) {
    return entries_.with([&](Entries& entries) {
      const auto [place, is_new] = entries.try_emplace(key);
      if (is_new) {
        place->second = std::make_shared<Entry>();
        place->second->work = std::move(work);
      }
      return std::pair(place->second, is_new);
    });
  }

  Guarded<Entries> entries_;
};

}  // namespace slipway::index
