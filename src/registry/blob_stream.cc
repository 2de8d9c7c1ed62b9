#include "registry/blob_stream.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace slipway::registry {

/// A ring of bytes between two threads.
class BlobStream::Pipe final : public Sink {
 public:
  explicit Pipe(std::uint64_t skip) : ring_(kBytes), skip_bytes_(skip) {}

  void start(WriteBlob write) {
    thread_ = std::thread([this, write = std::move(write)] {
      Result<void> written = write(*this);
      const std::lock_guard lock(mutex_);
      if (!written.ok()) error_ = std::move(written).error();
      is_written_ = true;
      changed_.notify_all();
    });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_abandoned_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  Result<void> write(Bytes bytes) override {
    const auto skipped =
        static_cast<std::size_t>(std::min<std::uint64_t>(skip_bytes_, bytes.size()));
    skip_bytes_ -= skipped;
    bytes = bytes.subspan(skipped);
    std::unique_lock lock(mutex_);
    while (!bytes.empty() || is_abandoned_) {
      changed_.wait(lock, [&] { return is_abandoned_ || filled_ < kBytes; });
      if (is_abandoned_) return make_error(ErrorKind::Cancelled, "nobody reads any more");
      const std::size_t at = (begin_ + filled_) % kBytes;
      const std::size_t count = std::min({bytes.size(), kBytes - filled_, kBytes - at});
      // The reader does not come here: this part of the ring is free.
      lock.unlock();
      std::copy_n(bytes.begin(), count, ring_.begin() + static_cast<std::ptrdiff_t>(at));
      lock.lock();
      filled_ += count;
      bytes = bytes.subspan(count);
      changed_.notify_all();
    }
    return {};
  }

  Result<std::size_t> read(std::span<std::byte> buffer) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_written_ || filled_ > 0; });
    if (filled_ == 0 && error_) return *error_;
    const std::size_t count = std::min({buffer.size(), filled_, kBytes - begin_});
    const std::size_t at = begin_;
    lock.unlock();
    std::copy_n(ring_.begin() + static_cast<std::ptrdiff_t>(at), count, buffer.begin());
    lock.lock();
    begin_ = (begin_ + count) % kBytes;
    filled_ -= count;
    changed_.notify_all();
    return count;
  }

 private:
  static constexpr std::size_t kBytes = 4 << 20;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::byte> ring_;
  std::size_t begin_ = 0, filled_ = 0;
  std::uint64_t skip_bytes_;
  bool is_written_ = false, is_abandoned_ = false;
  std::optional<Error> error_;
  std::thread thread_;
};

BlobStream::BlobStream(WriteBlob write, std::uint64_t first)
    : pipe_(std::make_unique<Pipe>(first)) {
  pipe_->start(std::move(write));
}

BlobStream::~BlobStream() { pipe_->stop(); }

Result<std::size_t> BlobStream::read(std::span<std::byte> buffer) { return pipe_->read(buffer); }

}  // namespace slipway::registry
