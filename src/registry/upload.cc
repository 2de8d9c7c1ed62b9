#include "registry/upload.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "registry/upload_range.h"

namespace slipway::registry {
namespace {

constexpr std::uint64_t kSmallBytes = 4 << 20;       ///< sent in one request
constexpr std::uint64_t kFirstChunkBytes = 8 << 20;  ///< of large blobs: how fast is it?

}  // namespace

Upload::Upload(Session& session, std::string repository, Scopes scopes, const Blob& blob,
               std::string location, const UploadRules& rules, OnSent on_sent,
               const CancelToken& cancel)
    : session_(session),
      repository_(std::move(repository)),
      scopes_(std::move(scopes)),
      blob_(blob),
      location_(std::move(location)),
      rules_(rules),
      on_sent_(std::move(on_sent)),
      cancel_(cancel),
      chunk_bytes_(std::numeric_limits<std::uint64_t>::max()),
      most_chunk_bytes_(chunk_bytes_) {
  if (blob.size_bytes <= rules.chunk_bytes) return;
  most_chunk_bytes_ = rules.chunk_bytes;
  chunk_bytes_ = std::min(kFirstChunkBytes, most_chunk_bytes_);
  if (rules.records_folder.empty()) return;
  record_ = UploadRecord::take(rules.records_folder, {session.host(), repository_, blob.digest});
}

Result<void> Upload::run() {
  TRY(resume());
  std::uint64_t best = 0;
  for (int attempts = 0;;) {
    if (TRY(attempt()) == Step::Done) {
      if (record_) record_->forget();
      return {};
    }
    if (sent_bytes_ > best) attempts = losses_ = 0;
    best = std::max(best, sent_bytes_);
    if (!failure_) continue;
    const http::Response* const answer = trouble_ ? &*trouble_ : nullptr;
    if (!TRY(session_.sender().pause(++attempts, answer, cancel_))) return std::move(*failure_);
    trouble_.reset();
    failure_.reset();
  }
}

/// Goes on with the upload of a push before this one, if the registry still has it ("Pushing a blob
/// in chunks": `GET <location>` tells 204 and a Range). One attempt: it is not worth waiting for.
Result<void> Upload::resume() {
  const auto known = record_ ? record_->find() : std::nullopt;
  if (!known || !session_.is_own(known->location)) return {};
  const http::Message question{"GET", known->location};
  const auto response = session_.send(question, scopes_, cancel_, Session::Patience::Once);
  if (!response.ok() && response.error().kind == ErrorKind::Cancelled) return response.error();
  const auto end = response.ok() && response->status == 204
                       ? end_of_range(response->find_header("range").value_or(""))
                       : std::nullopt;
  const auto next = response.ok() ? response->find_header("location") : std::nullopt;
  const Result<std::string> place = next ? session_.resolve(*next) : known->location;
  if (!end || *end > blob_.size_bytes || !place.ok() || !session_.is_own(*place)) {
    record_->forget();
    return {};
  }
  location_ = *place;
  sent_bytes_ = *end;
  least_chunk_bytes_ = known->least_chunk_bytes;
  chunk_bytes_ = std::max(chunk_bytes_, least_chunk_bytes_);
  is_resumed_ = was_open_ = true;
  record_->note({location_, sent_bytes_, least_chunk_bytes_});
  return {};
}

Result<Upload::Step> Upload::attempt() {
  if (is_unsure_ && manner_ == Manner::Whole) begin_anew();
  if (is_unsure_) TRY(ask_how_far());
  if (location_.empty()) {
    if (was_open_ && TRY(is_there())) return Step::Done;  // only the answer was lost
    TRY(open());
    was_open_ = true;
  }
  const bool is_small = blob_.size_bytes <= std::min(kSmallBytes, chunk_bytes_);
  if (manner_ == Manner::Whole || (sent_bytes_ == 0 && is_small)) return send_whole();
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
  begin_anew();
  if (response.status == 202) {
    if (const auto least = response.find_header("oci-chunk-min-length")) {
      std::from_chars(least->data(), least->data() + least->size(), least_chunk_bytes_);
      chunk_bytes_ = std::max(chunk_bytes_, least_chunk_bytes_);
    }
    return take_location(response);
  }
  const bool is_denied = response.status == 403 || response.status == 405;
  return make_error(is_denied ? ErrorKind::Denied : ErrorKind::Unavailable,
                    "`{}` takes no uploads for `{}`: it answers {}", session_.host(), repository_,
                    response.status);
}

void Upload::begin_anew() {
  location_.clear();
  sent_bytes_ = 0;
  chunks_ = 0;
  is_unsure_ = is_resumed_ = false;
  if (record_) record_->forget();
}

Result<void> Upload::take_location(const http::Response& response) {
  const auto location = response.find_header("location");
  if (!location) {
    return make_error(ErrorKind::Corrupt, "`{}` does not say where an upload goes",
                      session_.host());
  }
  location_ = TRY(session_.resolve(*location));
  if (!record_ || manner_ == Manner::Whole) return {};
  // Where the registry sends us elsewhere, the address is a secret in itself, and short-lived.
  if (session_.is_own(location_)) {
    record_->note({location_, sent_bytes_, least_chunk_bytes_});
  } else {
    record_->forget();
  }
  return {};
}

Result<void> Upload::ask_how_far() {
  was_open_ = true;
  const http::Message message{"GET", location_};
  const http::Response response = TRY(session_.send(message, scopes_, cancel_));
  const auto end = end_of_range(response.find_header("range").value_or(""));
  is_unsure_ = false;
  if (response.status != 204 || !end || *end == 0 || *end > blob_.size_bytes) {
    begin_anew();
    return {};
  }
  sent_bytes_ = *end;
  if (response.find_header("location")) TRY(take_location(response));
  return {};
}

}  // namespace slipway::registry
