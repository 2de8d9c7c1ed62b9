/// Progress and remarks, on their way to people. Modules report; `cli` decides how it looks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway {

/// Takes calls from any thread.
class Reporter {
 public:
  using TaskId = std::uint64_t;

  virtual ~Reporter() = default;
  /// Work that takes time: `name` is what it is about ("torch 2.6.0"), `verb` what is done to it
  /// ("downloading"); `total_bytes` is 0 where it is not known.
  virtual TaskId start(std::string_view verb, std::string_view name, std::uint64_t total_bytes) = 0;
  virtual void advance(TaskId task, std::uint64_t bytes) = 0;
  virtual void finish(TaskId task) = 0;
  /// A step is complete: one plain line.
  virtual void done(std::string_view line) = 0;
  /// Something the user should know and need not act on.
  virtual void note(std::string_view line) = 0;
  /// Something that will probably hurt.
  virtual void warn(std::string_view line) = 0;
};

/// Says nothing: for tests and for callers who want no progress.
class SilentReporter final : public Reporter {
 public:
  TaskId start(std::string_view, std::string_view, std::uint64_t) override { return 0; }
  void advance(TaskId, std::uint64_t) override {}
  void finish(TaskId) override {}
  void done(std::string_view) override {}
  void note(std::string_view) override {}
  void warn(std::string_view) override {}
};

}  // namespace slipway
