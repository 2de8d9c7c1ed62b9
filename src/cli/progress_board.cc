#include "cli/progress_board.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/size_text.h"
#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kMostLines = 12;
constexpr std::size_t kNumbersWidth = 41;  // "123 MB / 1.2 GB  100 %   123 MB/s" and room
constexpr std::size_t kLeastNameWidth = 12;

std::string percentage(std::uint64_t bytes, std::uint64_t total_bytes) {
  if (total_bytes == 0) return {};
  const double part = static_cast<double>(bytes) / static_cast<double>(total_bytes);
  return fmt::format("{:.0f} %", std::clamp(part, 0.0, 1.0) * 100);
}

/// "312 MB / 767 MB    41 %    85 MB/s", each part in its column; parts that say nothing are blank.
std::string numbers(std::uint64_t bytes, std::uint64_t total_bytes, double bytes_per_second) {
  std::string size;
  if (total_bytes > 0) {
    size = fmt::format("{} / {}", size_text(bytes), size_text(total_bytes));
  } else if (bytes > 0) {
    size = size_text(bytes);
  }
  const std::string rate =
      bytes_per_second >= 1 ? size_text(static_cast<std::uint64_t>(bytes_per_second)) + "/s" : "";
  return fmt::format("{:>17}  {:>5}  {:>9}", size, percentage(bytes, total_bytes), rate);
}

/// `left` at the left edge and the numbers at the right one; without them on a narrow terminal.
std::string fit(std::string_view left, std::string_view right, std::size_t width) {
  const bool has_room = width >= kNumbersWidth + kLeastNameWidth;
  if (!has_room) return cut_to(left, width);
  const std::size_t room = width - columns_of(right) - 1;
  const std::string name = cut_to(left, room);
  return name + std::string(room - columns_of(name) + 1, ' ') + std::string(right);
}

}  // namespace

void Rate::sample(Time now, std::uint64_t bytes) {
  if (!last_) {
    last_ = now;
    last_bytes_ = bytes;
    return;
  }
  const double seconds = std::chrono::duration<double>(now - *last_).count();
  if (seconds < 0.05) return;
  // A sample weighs as much as the time that it stands for: the last three seconds, about.
  const double weight = std::min(1.0, seconds / 3 + (value_ == 0 ? 1.0 : 0.0));
  const double moved = bytes > last_bytes_ ? static_cast<double>(bytes - last_bytes_) : 0;
  value_ += weight * (moved / seconds - value_);
  last_ = now;
  last_bytes_ = bytes;
}

ProgressBoard::TaskId ProgressBoard::start(Time now, std::string_view verb, std::string_view name,
                                           std::uint64_t total_bytes) {
  if (idle()) {
    ended_ = 0;
    ended_bytes_ = 0;
    total_rate_ = Rate();
    total_rate_.sample(now, 0);
  }
  Task task{plain_text(verb), plain_text(name), 0, total_bytes, now, {}};
  task.rate.sample(now, 0);
  tasks_.emplace(next_, std::move(task));
  return next_++;
}

void ProgressBoard::advance(TaskId id, std::uint64_t bytes) {
  const auto found = tasks_.find(id);
  if (found != tasks_.end()) found->second.bytes += bytes;
}

std::optional<ProgressBoard::Task> ProgressBoard::finish(TaskId id) {
  auto node = tasks_.extract(id);
  if (node.empty()) return std::nullopt;
  ++ended_;
  ended_bytes_ += node.mapped().bytes;
  return std::move(node.mapped());
}

std::string ProgressBoard::total_line(std::size_t hidden) const {
  std::string text = fmt::format("{} of {} done", ended_, ended_ + tasks_.size());
  if (hidden > 0) text += fmt::format(", {} more in flight", hidden);
  return text;
}

std::vector<std::string> ProgressBoard::draw(Time now, std::size_t width, std::size_t height) {
  if (idle()) return {};
  std::vector<const Task*> order;
  std::uint64_t bytes = ended_bytes_;
  std::uint64_t total_bytes = ended_bytes_;
  for (auto& [id, task] : tasks_) {
    task.rate.sample(now, task.bytes);
    order.push_back(&task);
    bytes += task.bytes;
    total_bytes += std::max(task.total_bytes, task.bytes);
  }
  total_rate_.sample(now, bytes);
  std::stable_partition(order.begin(), order.end(),
                        [](const Task* task) { return task->bytes > 0; });

  const std::size_t room = std::clamp<std::size_t>(height, 3, kMostLines + 2) - 2;
  const std::size_t shown = std::min(order.size(), room);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < shown; ++i) {
    const Task& task = *order[i];
    lines.push_back(fit(fmt::format("  {} {}", task.verb, task.name),
                        numbers(task.bytes, task.total_bytes, task.rate.bytes_per_second()),
                        width));
  }
  if (ended_ + tasks_.size() == 1) return lines;  // it is its own total
  lines.push_back(fit("  " + total_line(order.size() - shown),
                      numbers(bytes, total_bytes, total_rate_.bytes_per_second()), width));
  return lines;
}

}  // namespace slipway::cli
