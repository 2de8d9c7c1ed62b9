#include "plan/blob_sender.h"

#include <algorithm>

#include "base/clock.h"
#include "base/file.h"
#include "plan/blob_places.h"

namespace slipway::plan {
namespace {

constexpr std::chrono::days kRecordLife{7};  ///< of an upload that nobody went on with

/// What a task showed is never taken back: bytes that go out again count once.
class Progress {
 public:
  Progress(Reporter& reporter, const oci::Descriptor& blob)
      : reporter_(reporter),
        size_bytes_(blob.size_bytes),
        task_(reporter.start("pushing", blob.digest.hex().substr(0, 12), blob.size_bytes)) {}
  void advance(std::uint64_t bytes) {
    const std::uint64_t counted = std::min(bytes, size_bytes_ - shown_bytes_);
    shown_bytes_ += counted;
    if (counted > 0) reporter_.advance(task_, counted);
  }
  void finish() { reporter_.finish(task_); }

 private:
  Reporter& reporter_;
  std::uint64_t size_bytes_, shown_bytes_ = 0;
  Reporter::TaskId task_;
};

}  // namespace

Result<void> BlobSender::send(const oci::Descriptor& blob, registry::WriteBlob write,
                              const CancelToken& cancel) {
  std::vector<std::string> others = TRY(find_blob_places(store_, blob.digest, place_.host.name));
  std::erase(others, place_.repository);
  Progress progress(reporter_, blob);
  const auto on_sent = [&](std::uint64_t bytes) {
    progress.advance(bytes);
    sent_bytes_ += bytes;
  };
  const registry::Blob sent{blob.digest, blob.size_bytes, std::move(write)};
  const registry::Sent how =
      TRY(registry_.send_blob(place_.repository, sent, others, on_sent, cancel));
  if (how == registry::Sent::Mounted) ++mounted_;
  progress.finish();
  return {};
}

Result<registry::Registry> open_for_push(const ImagePlace& place, const Tools& tools) {
  registry::Registry registry = TRY(registry::Registry::open(place.host, {}, tools.cancel));
  const std::string records = join_path(tools.cache_folder, "uploads");
  registry::sweep_upload_records(records, utc_now() - kRecordLife);
  registry.set_upload_rules({records});
  return registry;
}

}  // namespace slipway::plan
