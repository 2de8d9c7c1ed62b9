#include "plan/push_layers_ahead.h"

#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file.h"
#include "plan/blob_sender.h"
#include "plan/late_reporter.h"
#include "plan/layer_blobs.h"

namespace slipway::plan {
namespace {

constexpr int kLookForCancelMs = 200;
constexpr std::string_view kLayer = "layer ", kBuilt = "built ";

std::string line_of(const ImageLayer& layer) {
  return fmt::format("{}{} {} {}\n", kLayer, layer.digest.text(), layer.size_bytes,
                     layer.media_type);
}

/// `DIGEST SIZE MEDIA-TYPE`
std::optional<oci::Descriptor> parse_layer(std::string_view text) {
  const std::size_t first = text.find(' '), second = text.find(' ', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  oci::Descriptor layer;
  const auto digest = parse_digest(text.substr(0, first));
  if (!digest.ok()) return std::nullopt;
  layer.digest = *digest;
  std::from_chars(text.data() + first + 1, text.data() + second, layer.size_bytes);
  layer.media_type = text.substr(second + 1);
  return layer;
}

/// Threads that send what they are given, in that order.
class Senders {
 public:
  Senders(const ImagePlace& place, const store::Store& store, registry::Registry& registry,
          const Tools& tools)
      : place_(place),
        store_(store),
        registry_(registry),
        tools_(tools),
        sender_(registry, place, store, tools.reporter) {
    for (std::size_t i = 0; i < kParallelUploads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Senders() { finish(); }

  void add(oci::Descriptor layer) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(layer));
    }
    changed_.notify_one();
  }
  /// No more will be added. Returns once all is sent, or given up.
  SentAhead finish() {
    {
      const std::lock_guard lock(mutex_);
      is_all_ = true;
    }
    changed_.notify_all();
    threads_.clear();
    return {sent_ - sender_.mounted(), sender_.mounted(), sender_.sent_bytes(), {}};
  }

 private:
  void work() {
    while (const auto layer = next()) {
      if (send(*layer).ok()) continue;
      const std::lock_guard lock(mutex_);
      has_failed_ = true;
    }
  }
  std::optional<oci::Descriptor> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_all_ || !waiting_.empty(); });
    if (waiting_.empty() || has_failed_ || tools_.cancel.cancelled()) return std::nullopt;
    oci::Descriptor layer = std::move(waiting_.front());
    waiting_.pop_front();
    return layer;
  }
  Result<void> send(const oci::Descriptor& layer) {
    if (TRY(registry_.has_blob(place_.repository, layer.digest, tools_.cancel))) return {};
    LayerBlobs blobs(store_, tools_);
    TRY(blobs.prepare(place_.name.text(), std::span(&layer, 1)));
    const auto write = [&](Sink& out) {
      const CancelToken never;  // it ends with its reader
      return blobs.write(layer, out, never);
    };
    TRY(sender_.send(layer, write, tools_.cancel));
    ++sent_;
    return {};
  }

  const ImagePlace& place_;
  const store::Store& store_;
  registry::Registry& registry_;
  const Tools& tools_;
  BlobSender sender_;
  std::atomic<std::size_t> sent_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<oci::Descriptor> waiting_;
  bool is_all_ = false, has_failed_ = false;
  std::vector<std::jthread> threads_;
};

/// Calls `line` for each that comes, until the other end is closed.
Result<void> read_lines(int pipe, const CancelToken& cancel,
                        const std::function<void(std::string_view)>& line) {
  std::string text;
  for (;;) {
    TRY(cancel.check());
    pollfd ready{pipe, POLLIN, 0};
    if (::poll(&ready, 1, kLookForCancelMs) <= 0) continue;
    char buffer[4096];
    const ssize_t count = ::read(pipe, buffer, sizeof buffer);
    if (count == 0) return {};
    if (count < 0 && errno != EINTR) return errno_error("cannot hear of the build");
    if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;) {
      line(std::string_view(text).substr(0, end));
      text.erase(0, end + 1);
    }
  }
}

}  // namespace

void LayerNews::tell(const ImageLayer& layer) const { write(line_of(layer)); }
void LayerNews::tell_built(const Digest& manifest) const {
  write(fmt::format("{}{}\n", kBuilt, manifest.text()));
}
void LayerNews::write(const std::string& line) const {
  // Shorter than PIPE_BUF, so that lines of several threads do not mix (pipe(7)).
  FdSink sink(pipe_.get());
  (void)sink.write(as_bytes(line));
}

Result<void> check_registry(const ImagePlace& place, const Tools& tools) {
  (void)TRY(registry::Registry::open(place.host, {}, tools.cancel));
  return {};
}

Result<SentAhead> push_layers_ahead(int news, const ImagePlace& place, const Tools& tools) {
  LateReporter reporter(tools.reporter);
  const Tools quiet = with_reporter(tools, reporter);
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(reporter, tools.cancel));
  registry::Registry registry = TRY(open_for_push(place, quiet));
  Senders senders(place, store, registry, quiet);
  std::optional<Digest> built;
  const auto take = [&](std::string_view line) {
    if (line.starts_with(kLayer)) {
      if (auto layer = parse_layer(line.substr(kLayer.size()))) senders.add(std::move(*layer));
    } else if (line.starts_with(kBuilt)) {
      const auto digest = parse_digest(line.substr(kBuilt.size()));
      if (digest.ok()) built = *digest;
    }
  };
  TRY(read_lines(news, tools.cancel, take));
  reporter.show();
  SentAhead sent = senders.finish();
  TRY(tools.cancel.check());
  sent.built = built;
  return sent;
}

}  // namespace slipway::plan
