#include "plan/late_reporter.h"

#include <doctest/doctest.h>

#include <vector>

namespace slipway::plan {
namespace {

class Recorder final : public Reporter {
 public:
  std::vector<std::string> lines;
  TaskId start(std::string_view verb, std::string_view name, std::uint64_t total) override {
    lines.push_back(std::string(verb) + " " + std::string(name) + " " + std::to_string(total));
    return lines.size() + 100;
  }
  void advance(TaskId task, std::uint64_t bytes) override {
    lines.push_back(std::to_string(task) + " +" + std::to_string(bytes));
  }
  void finish(TaskId task) override { lines.push_back(std::to_string(task) + " ends"); }
  void done(std::string_view line) override { lines.emplace_back(line); }
  void note(std::string_view line) override { lines.emplace_back(line); }
  void warn(std::string_view line) override { lines.emplace_back(line); }
};

TEST_CASE("what goes on is shown from then on, with what was done before") {
  Recorder recorder;
  LateReporter late(recorder);
  const auto over = late.start("pushing", "early", 5);
  const auto going = late.start("pushing", "long", 10);
  late.advance(over, 5);
  late.advance(going, 3);
  late.finish(over);
  late.warn("unheard");
  CHECK(recorder.lines.empty());

  late.show();
  late.show();
  CHECK(recorder.lines == std::vector<std::string>{"pushing long 10", "101 +3"});
  late.advance(going, 7);
  late.finish(going);
  const auto next = late.start("pushing", "new", 1);
  late.advance(next, 1);
  late.finish(next);
  late.advance(next, 1);  // it has ended
  late.warn("heard");
  CHECK(recorder.lines == std::vector<std::string>{"pushing long 10", "101 +3", "101 +7",
                                                   "101 ends", "pushing new 1", "105 +1",
                                                   "105 ends", "heard"});
}

}  // namespace
}  // namespace slipway::plan
