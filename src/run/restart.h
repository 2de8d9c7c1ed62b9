/// When a container that has ended is started again. Pure.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::run {

struct RestartPolicy {
  enum class When { No, OnFailure, Always, UnlessStopped } when = When::No;
  int most = 0;  ///< OnFailure: how often at most; 0: without end
  bool operator==(const RestartPolicy&) const = default;
};

/// `no`, `on-failure`, `on-failure:5`, `always`, `unless-stopped`. Fails with InvalidInput.
Result<RestartPolicy> parse_restart_policy(std::string_view text);
std::string restart_text(const RestartPolicy& policy);

struct LifeEnd {
  int status = 0;
  int restarts = 0;          ///< that were before
  bool was_stopped = false;  ///< on request: then nothing starts it again
};
bool should_restart(const RestartPolicy& policy, const LifeEnd& end);

/// How long to wait before the next start: from 100 ms doubling to a minute, as Docker waits; a
/// life of ten seconds or more makes it short again.
class BackOff {
 public:
  std::chrono::milliseconds next(std::chrono::milliseconds lived);

 private:
  std::chrono::milliseconds delay_{0};
};

}  // namespace slipway::run
