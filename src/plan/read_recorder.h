/// Watches which files of an image a run opens, and in which order.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "plan/image_files.h"
#include "store/store.h"

namespace slipway::plan {

/// A process of its own shows the image's tree once more (lazy/file_system.h) and notes what is
/// opened. Needs uid 0, the machine's or a user namespace's, and /dev/fuse. It ends with us,
/// whatever happens to us.
class ReadRecorder {
 public:
  /// To be called by one thread, under a lease of the store that lasts as long as the recorder.
  static Result<ReadRecorder> start(const std::vector<LayerFolder>& layers,
                                    const store::Store& store);
  ReadRecorder(ReadRecorder&& other) noexcept;
  ReadRecorder& operator=(ReadRecorder&&) = delete;
  ~ReadRecorder();  ///< nothing stays

  /// The tree that is to be run.
  std::string tree() const { return join_path(folder_.path(), "mnt"); }
  /// Nobody uses it any more: absolute paths inside the image, each once.
  Result<std::vector<std::string>> finish();

 private:
  ReadRecorder(TemporaryFolder folder, pid_t server, UniqueFd life)
      : folder_(std::move(folder)), server_(server), life_(std::move(life)) {}
  void stop();
  TemporaryFolder folder_;
  pid_t server_ = -1;
  UniqueFd life_;  ///< the server sees it close
};

}  // namespace slipway::plan
