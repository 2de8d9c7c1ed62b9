/// A connection of its own, for one download after another. Internal to http.
#pragma once

#include "base/cancel.h"
#include "http/exchange.h"

namespace slipway::http {

class Lane {
 public:
  explicit Lane(const std::shared_ptr<Client::Shared>& shared);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane();

  Exchange& exchange() { return exchange_; }
  /// Drives the prepared exchange to its end on this thread. Looks at the tokens ten times a
  /// second.
  std::optional<Failure> perform(std::span<const CancelToken> cancel);

 private:
  void* multi_;
  Exchange exchange_;
};

}  // namespace slipway::http
