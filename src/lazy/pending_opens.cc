#include "lazy/pending_opens.h"

#include <charconv>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/process_stat.h"

namespace slipway::lazy {

bool is_being_killed(pid_t thread) {
  const Result<std::string> status = read_file(fmt::format("/proc/{}/status", thread));
  if (!status.ok()) return false;
  const auto is_pending = [&](std::string_view set) {
    const std::string_view text = process_status_field(*status, set);
    std::uint64_t signals = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), signals, 16);
    return (signals >> (SIGKILL - 1) & 1) != 0;
  };
  return is_pending("SigPnd") || is_pending("ShdPnd");
}

PendingOpens::PendingOpens(std::function<bool(pid_t)> is_killed, std::chrono::milliseconds pause)
    : is_killed_(std::move(is_killed)),
      pause_(pause),
      watcher_([this](const std::stop_token& stop) { watch(stop); }) {}

PendingOpens::Id PendingOpens::add(pid_t thread, GiveUp give_up) {
  const std::lock_guard lock(mutex_);
  opens_.emplace(next_, Open{thread, std::move(give_up)});
  if (opens_.size() == 1) changed_.notify_one();
  return next_++;
}

bool PendingOpens::settle(Id open) {
  const std::lock_guard lock(mutex_);
  return opens_.erase(open) > 0;
}

void PendingOpens::watch(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !opens_.empty(); })) {
    // Most have been answered by then.
    changed_.wait_for(lock, stop, pause_, [] { return false; });
    std::vector<Open> killed;
    std::erase_if(opens_, [&](auto& open) {
      if (!is_killed_(open.second.thread)) return false;
      killed.push_back(std::move(open.second));
      return true;
    });
    lock.unlock();
    for (const Open& open : killed) open.give_up();
    lock.lock();
  }
}

}  // namespace slipway::lazy
