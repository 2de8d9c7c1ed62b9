// The requests of an upload that carry bytes, and what their answers mean.
#include <algorithm>

#include "registry/upload.h"
#include "registry/upload_range.h"

namespace slipway::registry {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kLeastChunkBytes = 8 << 20;
constexpr std::uint64_t kCarefulChunkBytes = 32 << 20;  ///< after trouble
constexpr double kSecondsOfChunk = 2;                   ///< less than the grace of a cancelled one
constexpr int kMostLosses = 2;
constexpr const char* kOctets = "Content-Type: application/octet-stream";

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

/// One writer for all chunks, as long as they follow one another.
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
  if (record_) message.grace = rules_.grace;
  const auto begin = Clock::now();
  const auto response = session_.send(message, scopes_, cancel_);
  if (!response.ok()) return after(response.error());
  if (response->status != 202) return after(*response, "sending");
  choose_chunk(count, Clock::now() - begin);
  ++chunks_;
  const std::uint64_t before = sent_bytes_, end = sent_bytes_ + count;
  sent_bytes_ =
      std::min(end_of_range(response->find_header("range").value_or("")).value_or(end), end);
  TRY(take_location(*response));
  if (sent_bytes_ > before) return Step::Again;
  return after(make_error(ErrorKind::Unavailable, "sending blob `{}`: `{}` has no more than before",
                          blob_.digest.text(), session_.host()));
}

/// So that a chunk takes a moment, and what a kill loses with some registries is not much more.
void Upload::choose_chunk(std::uint64_t sent_bytes, Clock::duration took) {
  if (blob_.size_bytes <= rules_.chunk_bytes) return;
  const double seconds = std::max(std::chrono::duration<double>(took).count(), 1e-6);
  const double wanted = static_cast<double>(sent_bytes) / seconds * kSecondsOfChunk;
  const double most = static_cast<double>(most_chunk_bytes_);
  const double least = std::min(static_cast<double>(kLeastChunkBytes), most);
  chunk_bytes_ =
      std::max(static_cast<std::uint64_t>(std::clamp(wanted, least, most)), least_chunk_bytes_);
}

Result<Upload::Step> Upload::finish() {
  http::Message message{"PUT", finishing_url(), {kOctets}};
  const http::Response response = TRY(session_.send(message, scopes_, cancel_));
  return after(response, "finishing");
}

/// Whether another way of sending may do: some registries take no Content-Range, only one PATCH, or
/// none. A digest that does not fit may be due to what another push has left, or to chunks.
bool Upload::is_refusal(int status, std::string_view doing) const {
  if (manner_ == Manner::Whole) return false;
  if (status == 404 || status == 416) return losses_ > kMostLosses;
  if (doing == "finishing") return status == 400 && (is_resumed_ || chunks_ > 1);
  return (status >= 400 && status < 500 && status != 401 && status != 403 && status != 413 &&
          !http::Sender::is_worth_retrying(status)) ||
         status == 501;
}

/// What another push began is begun anew; what began here is sent whole.
Upload::Step Upload::fall_back() {
  if (!is_resumed_) manner_ = Manner::Whole;
  begin_anew();
  stream_.reset();
  return Step::Again;
}

/// 201 ends it; what the registry may yet make good is tried again.
Result<Upload::Step> Upload::after(const http::Response& response, std::string_view doing) {
  if (response.status == 201 || response.status == 204) {
    const auto digest = response.find_header("docker-content-digest");
    if (!digest || *digest == blob_.digest.text()) return Step::Done;
    return make_error(ErrorKind::Corrupt, "`{}` took `{}` for `{}`", session_.host(),
                      blob_.digest.text(), *digest);
  }
  const bool may_be_lost = response.status == 404 || response.status == 416;
  if (may_be_lost) ++losses_;
  if (is_refusal(response.status, doing)) return fall_back();
  const ErrorKind kind = response.status == 403 ? ErrorKind::Denied : ErrorKind::Unavailable;
  Error error = make_error(kind, "{} blob `{}`: `{}` answers {}", doing, blob_.digest.text(),
                           session_.host(), response.status);
  const bool is_too_much = response.status == 413 && chunk_bytes_ > kCarefulChunkBytes;
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
  most_chunk_bytes_ = std::min(most_chunk_bytes_, kCarefulChunkBytes);
  chunk_bytes_ = std::min(chunk_bytes_, std::max(kCarefulChunkBytes, least_chunk_bytes_));
  return Step::Again;
}

}  // namespace slipway::registry
