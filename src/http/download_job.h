/// One file's way from the server to its place on disk. Internal to http.
#pragma once

#include <string>
#include <vector>

#include "http/download.h"
#include "http/lane.h"
#include "http/part_file.h"

namespace slipway::http {

class DownloadJob {
 public:
  DownloadJob(const Client::Shared& shared, const Download& download, Reporter& reporter,
              std::vector<CancelToken> cancel);

  /// Blocks until the file is at its path.
  Result<void> run(Lane& lane);

 private:
  bool is_complete() const;
  Result<void> fetch(Lane& lane);
  Result<void> prepare_part();
  Result<void> restart();
  std::optional<Failure> attempt(Lane& lane);
  Result<void> accept_head(const Head& head);
  Result<void> accept_body(Bytes bytes);
  Result<void> check_whole();
  Result<void> pause(std::chrono::milliseconds delay) const;
  Result<void> check_cancelled() const;
  void report_progress();

  const Client::Shared& shared_;
  const Download& download_;
  Reporter& reporter_;
  std::vector<CancelToken> cancel_;
  std::string name_;
  std::string part_path_;
  std::optional<PartFile> part_;
  Reporter::TaskId task_ = 0;
  std::uint64_t reported_bytes_ = 0;
  std::string validator_;                      ///< a strong ETag of the bytes in the part
  bool is_left_over_ = false;                  ///< the part was begun by an earlier call
  std::optional<std::uint64_t> wanted_bytes_;  ///< the whole, as the caller or the server says
};

}  // namespace slipway::http
