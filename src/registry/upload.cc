#include "registry/upload.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace slipway::registry {
namespace {

constexpr std::uint64_t kSmallBytes = 4 << 20;          ///< sent in one request
constexpr std::uint64_t kCarefulChunkBytes = 32 << 20;  ///< after trouble
constexpr const char* kOctets = "Content-Type: application/octet-stream";

/// `0-1023` -> 1024: what the registry has. Nothing where it does not say.
std::optional<std::uint64_t> end_of_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  text.remove_prefix(dash + 1);
  std::uint64_t last = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), last);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return last + 1;
}

/// The next bytes of a stream, and what of them went out.
class Part final : public Source {
 public:
  Part(Source& from, const OnSent& on_sent, std::uint64_t& at)
      : from_(from), on_sent_(on_sent), at_(at) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const std::size_t got = TRY(from_.read(buffer));
    at_ += got;
    if (on_sent_) on_sent_(got);
    return got;
  }

 private:
  Source& from_;
  const OnSent& on_sent_;
  std::uint64_t& at_;
};

}  // namespace

Upload::Upload(Session& session, std::string repository, Scopes scopes, const Blob& blob,
               std::string location, OnSent on_sent, const CancelToken& cancel)
    : session_(session),
      repository_(std::move(repository)),
      scopes_(std::move(scopes)),
      blob_(blob),
      location_(std::move(location)),
      on_sent_(std::move(on_sent)),
      cancel_(cancel),
      chunk_bytes_(std::numeric_limits<std::uint64_t>::max()) {}

Result<void> Upload::run() {
  std::uint64_t best = 0;
  for (int attempts = 0;;) {
    if (TRY(attempt()) == Step::Done) return {};
    if (!failure_) continue;
    if (sent_bytes_ > best) attempts = 0;
    best = std::max(best, sent_bytes_);
    const http::Response* const answer = trouble_ ? &*trouble_ : nullptr;
    if (!TRY(session_.sender().pause(++attempts, answer, cancel_))) return std::move(*failure_);
    trouble_.reset();
    failure_.reset();
  }
}

Result<Upload::Step> Upload::attempt() {
  if (is_unsure_) TRY(ask_how_far());
  if (location_.empty()) {
    if (was_open_ && TRY(is_there())) return Step::Done;  // only the answer was lost
    TRY(open());
    was_open_ = true;
  }
  const bool is_small = blob_.size_bytes <= std::min(kSmallBytes, chunk_bytes_);
  if (sent_bytes_ == 0 && is_small) return send_whole();
  return sent_bytes_ == blob_.size_bytes ? finish() : send_chunk();
}

Result<bool> Upload::is_there() {
  const http::Message message{
      "HEAD", session_.url(fmt::format("{}/blobs/{}", repository_, blob_.digest.text()))};
  return TRY(session_.send(message, scopes_, cancel_)).status == 200;
}

Result<void> Upload::open() {
  http::Message message{"POST", session_.url(repository_ + "/blobs/uploads/")};
  const http::Response response = TRY(session_.send(message, scopes_, cancel_));
  sent_bytes_ = 0;
  is_unsure_ = false;
  if (response.status == 202) {
    if (const auto least = response.find_header("oci-chunk-min-length")) {
      std::from_chars(least->data(), least->data() + least->size(), least_chunk_bytes_);
    }
    return take_location(response);
  }
  const bool is_denied = response.status == 403 || response.status == 405;
  return make_error(is_denied ? ErrorKind::Denied : ErrorKind::Unavailable,
                    "`{}` takes no uploads for `{}`: it answers {}", session_.host(), repository_,
                    response.status);
}

Result<void> Upload::take_location(const http::Response& response) {
  const auto location = response.find_header("location");
  if (!location) {
    return make_error(ErrorKind::Corrupt, "`{}` does not say where an upload goes",
                      session_.host());
  }
  location_ = TRY(session_.resolve(*location));
  return {};
}

Source& Upload::stream() {
  if (!stream_ || stream_at_ != sent_bytes_) {
    stream_.reset();
    stream_ = std::make_unique<BlobStream>(blob_.write, sent_bytes_);
    stream_at_ = sent_bytes_;
  }
  return *stream_;
}

std::string Upload::finishing_url() const {
  return fmt::format("{}{}digest={}", location_,
                     location_.find('?') == std::string::npos ? "?" : "&", blob_.digest.text());
}

Result<Upload::Step> Upload::send_whole() {
  Part part(stream(), on_sent_, stream_at_);
  http::Message message{"PUT", finishing_url(), {kOctets}, "", &part, blob_.size_bytes};
  const auto response = session_.send(message, scopes_, cancel_);
  stream_.reset();
  if (!response.ok()) return after(response.error());
  return after(*response, "finishing");
}

Result<Upload::Step> Upload::send_chunk() {
  const std::uint64_t count = std::min(chunk_bytes_, blob_.size_bytes - sent_bytes_);
  Part part(stream(), on_sent_, stream_at_);
  const std::string range =
      fmt::format("Content-Range: {}-{}", sent_bytes_, sent_bytes_ + count - 1);
  http::Message message{"PATCH", location_, {kOctets, range}, "", &part, count};
  const auto response = session_.send(message, scopes_, cancel_);
  if (!response.ok()) return after(response.error());
  if (response->status != 202) return after(*response, "sending");
  const std::uint64_t end = sent_bytes_ + count;
  sent_bytes_ =
      std::min(end_of_range(response->find_header("range").value_or("")).value_or(end), end);
  TRY(take_location(*response));
  return Step::Again;
}

Result<Upload::Step> Upload::finish() {
  http::Message message{"PUT", finishing_url(), {kOctets}};
  const http::Response response = TRY(session_.send(message, scopes_, cancel_));
  return after(response, "finishing");
}

/// 201 ends it; what the registry may yet make good is tried again.
Result<Upload::Step> Upload::after(const http::Response& response, std::string_view doing) {
  if (response.status == 201 || response.status == 204) {
    const auto digest = response.find_header("docker-content-digest");
    if (!digest || *digest == blob_.digest.text()) return Step::Done;
    return make_error(ErrorKind::Corrupt, "`{}` took `{}` for `{}`", session_.host(),
                      blob_.digest.text(), *digest);
  }
  const ErrorKind kind = response.status == 403 ? ErrorKind::Denied : ErrorKind::Unavailable;
  Error error = make_error(kind, "{} blob `{}`: `{}` answers {}", doing, blob_.digest.text(),
                           session_.host(), response.status);
  const bool is_too_much = response.status == 413 && chunk_bytes_ > kCarefulChunkBytes;
  const bool may_be_lost = response.status == 404 || response.status == 416;
  if (!http::Sender::is_worth_retrying(response.status) && !is_too_much && !may_be_lost)
    return error;
  trouble_ = response;
  return after(std::move(error));
}

Result<Upload::Step> Upload::after(Error error) {
  // Denied: a token may have run out while the body was on its way.
  if (error.kind != ErrorKind::Unavailable && error.kind != ErrorKind::Denied) return error;
  if (error.kind == ErrorKind::Denied) {
    TRY(session_.authorization(scopes_, Session::Renew::Yes, cancel_));
  }
  failure_ = std::move(error);
  stream_.reset();
  is_unsure_ = true;
  chunk_bytes_ = std::min(chunk_bytes_, std::max(kCarefulChunkBytes, least_chunk_bytes_));
  return Step::Again;
}

Result<void> Upload::ask_how_far() {
  was_open_ = true;
  const http::Message message{"GET", location_};
  const http::Response response = TRY(session_.send(message, scopes_, cancel_));
  const auto end = end_of_range(response.find_header("range").value_or(""));
  is_unsure_ = false;
  if (response.status != 204 || !end || *end > blob_.size_bytes) {
    location_.clear();  // begin anew
    sent_bytes_ = 0;
    return {};
  }
  // `0-0` is also how an empty upload is told.
  sent_bytes_ = *end == 1 ? 0 : *end;
  if (response.find_header("location")) TRY(take_location(response));
  if (sent_bytes_ == 0) location_.clear();
  return {};
}

}  // namespace slipway::registry
