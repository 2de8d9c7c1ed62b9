#include "http/download.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <vector>

#include "base/file.h"
#include "base/threads.h"
#include "http/download_job.h"
#include "http/lane.h"

namespace slipway::http {
namespace {

/// Lanes that are free: one is made when there is none, so that there are as many as workers.
class Lanes {
 public:
  explicit Lanes(std::shared_ptr<Client::Shared> shared) : shared_(std::move(shared)) {}

  std::unique_ptr<Lane> take() {
    auto lane = free_.with([](auto& lanes) -> std::unique_ptr<Lane> {
      if (lanes.empty()) return nullptr;
      auto last = std::move(lanes.back());
      lanes.pop_back();
      return last;
    });
    return lane ? std::move(lane) : std::make_unique<Lane>(shared_);
  }
  void give_back(std::unique_ptr<Lane> lane) {
    free_.with([&](auto& lanes) { lanes.push_back(std::move(lane)); });
  }

 private:
  std::shared_ptr<Client::Shared> shared_;
  Guarded<std::vector<std::unique_ptr<Lane>>> free_;
};

std::vector<std::size_t> largest_first(std::span<const Download> downloads) {
  std::vector<std::size_t> order(downloads.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return downloads[a].size_bytes.value_or(0) > downloads[b].size_bytes.value_or(0);
  });
  return order;
}

}  // namespace

Result<void> download_all(Client& client, std::span<const Download> downloads, std::size_t parallel,
                          Reporter& reporter, const CancelToken& cancel) {
  const std::vector<std::size_t> order = largest_first(downloads);
  const CancelToken stop;  // set by the first failure
  Guarded<std::optional<Error>> first_failure;
  Lanes lanes(client.shared());
  Result<void> all =
      for_each_parallel(downloads.size(), parallel, cancel, [&](std::size_t i) -> Result<void> {
        const Download& download = downloads[order[i]];
        auto lane = lanes.take();
        Result<void> done =
            DownloadJob(*client.shared(), download, reporter, {cancel, stop}).run(*lane);
        lanes.give_back(std::move(lane));
        if (done.ok()) return {};
        first_failure.with([&](auto& failure) {
          if (failure) return;
          const std::string label =
              download.label.empty() ? base_name(download.path) : download.label;
          failure = Error(done.error()).while_doing("downloading " + label);
          stop.cancel();
        });
        return done;
      });
  if (all.ok()) return {};
  auto failure = first_failure.with([](auto& kept) { return std::move(kept); });
  return failure ? std::move(*failure) : std::move(all).error();
}

}  // namespace slipway::http
