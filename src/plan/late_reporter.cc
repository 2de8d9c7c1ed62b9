#include "plan/late_reporter.h"

namespace slipway::plan {

void LateReporter::show() {
  state_.with([&](State& state) {
    if (state.is_shown) return;
    state.is_shown = true;
    for (auto& [id, task] : state.tasks) {
      task.shown_as = to_.start(task.verb, task.name, task.total_bytes);
      to_.advance(task.shown_as, task.done_bytes);
    }
  });
}

Reporter::TaskId LateReporter::start(std::string_view verb, std::string_view name,
                                     std::uint64_t total_bytes) {
  return state_.with([&](State& state) {
    Task task{std::string(verb), std::string(name), total_bytes};
    if (state.is_shown) task.shown_as = to_.start(verb, name, total_bytes);
    state.tasks.emplace(++state.last, std::move(task));
    return state.last;
  });
}

void LateReporter::advance(TaskId id, std::uint64_t bytes) {
  state_.with([&](State& state) {
    const auto task = state.tasks.find(id);
    if (task == state.tasks.end()) return;
    task->second.done_bytes += bytes;
    if (state.is_shown) to_.advance(task->second.shown_as, bytes);
  });
}

void LateReporter::finish(TaskId id) {
  state_.with([&](State& state) {
    const auto task = state.tasks.find(id);
    if (task == state.tasks.end()) return;
    if (state.is_shown) to_.finish(task->second.shown_as);
    state.tasks.erase(task);
  });
}

void LateReporter::done(std::string_view line) {
  if (state_.with([](State& state) { return state.is_shown; })) to_.done(line);
}
void LateReporter::note(std::string_view line) {
  if (state_.with([](State& state) { return state.is_shown; })) to_.note(line);
}
void LateReporter::warn(std::string_view line) {
  if (state_.with([](State& state) { return state.is_shown; })) to_.warn(line);
}

}  // namespace slipway::plan
