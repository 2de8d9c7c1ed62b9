/// Asks long work to stop. Copies share one flag; any thread, and a signal handler, may set it.
#pragma once

#include <atomic>
#include <memory>

#include "base/error.h"

namespace slipway {

class CancelToken {
 public:
  CancelToken() : state_(std::make_shared<State>()) {}
  /// One that is cancelled with this one, and also by itself: for work of which one part's failure
  /// ends the others.
  CancelToken child() const {
    CancelToken token;
    token.state_->parent = state_;
    return token;
  }
  void cancel() const { state_->flag.store(true, std::memory_order_relaxed); }
  bool cancelled() const {
    for (const State* state = state_.get(); state != nullptr; state = state->parent.get()) {
      if (state->flag.load(std::memory_order_relaxed)) return true;
    }
    return false;
  }
  /// For TRY in loops: a Cancelled error once `cancel` was called.
  Result<void> check() const {
    if (cancelled()) return make_error(ErrorKind::Cancelled, "stopped on request");
    return {};
  }

 private:
  struct State {
    std::atomic<bool> flag{false};
    std::shared_ptr<const State> parent;
  };
  std::shared_ptr<State> state_;
};

}  // namespace slipway
