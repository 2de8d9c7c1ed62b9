#include "http/download_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/file.h"
#include "base/size_text.h"
#include "http/content_range.h"
#include "http/retry.h"
#include "http/shared.h"
#include "http/url.h"

namespace slipway::http {
namespace {

constexpr std::chrono::milliseconds kStep{50};

}  // namespace

DownloadJob::DownloadJob(const Client::Shared& shared, const Download& download, Reporter& reporter,
                         std::vector<CancelToken> cancel)
    : shared_(shared),
      download_(download),
      reporter_(reporter),
      cancel_(std::move(cancel)),
      name_(base_name(download.path)),
      part_path_(download.path + ".part") {}

Result<void> DownloadJob::check_cancelled() const {
  for (const CancelToken& token : cancel_) TRY(token.check());
  return {};
}

Result<void> DownloadJob::pause(std::chrono::milliseconds delay) const {
  for (auto left = delay; left.count() > 0; left -= kStep) {
    TRY(check_cancelled());
    std::this_thread::sleep_for(std::min(left, kStep));
  }
  return check_cancelled();
}

bool DownloadJob::is_complete() const {
  const auto size = file_size(download_.path);
  if (!size.ok() || (download_.size_bytes && *download_.size_bytes != size.value())) return false;
  if (download_.lasts) return true;
  const auto digest = sha256_of_file(download_.path);
  return digest.ok() && digest.value() == download_.sha256;
}

Result<void> DownloadJob::run(Lane& lane) {
  if (is_complete()) return {};
  const std::string lock_path = download_.path + ".lock";
  std::optional<FileLock> lock;
  while (!(lock = TRY(FileLock::try_lock(lock_path)))) TRY(pause(kStep));
  Result<void> fetched;
  if (!is_complete()) fetched = fetch(lane);
  if (!fetched.ok() && fetched.error().kind == ErrorKind::Corrupt) (void)remove_file(part_path_);
  // While it is held: who waits for it makes a new one.
  (void)remove_file(lock_path);
  return fetched;
}

Result<void> DownloadJob::prepare_part() {
  part_ = TRY(PartFile::open(part_path_, download_.lasts));
  if (!download_.sha256) return part_->restart();  // nothing would tell old bytes from new
  TRY(part_->take_over());
  is_left_over_ = part_->size_bytes() > 0;
  if (download_.size_bytes && part_->size_bytes() > *download_.size_bytes) return restart();
  return {};
}

Result<void> DownloadJob::restart() {
  is_left_over_ = false;
  validator_.clear();
  return part_->restart();
}

Result<void> DownloadJob::fetch(Lane& lane) {
  TRY(prepare_part());
  task_ = reporter_.start("downloading", download_.label.empty() ? name_ : download_.label,
                          download_.size_bytes.value_or(0));
  report_progress();
  std::uint64_t highest = part_->size_bytes();
  int attempts = 0;
  while (true) {
    auto failure = attempt(lane);
    if (!failure) {
      const Result<void> whole = check_whole();
      if (whole.ok()) break;
      if (!is_left_over_) return whole.error();
      TRY(restart());  // what an earlier call left may have been of another file
      continue;
    }
    if (failure->error.kind == ErrorKind::Unsupported && part_->size_bytes() > 0) {
      TRY(restart());  // no such range: the part is longer than the file
      continue;
    }
    if (part_->size_bytes() > highest) attempts = 0;
    highest = std::max(highest, part_->size_bytes());
    const auto delay = next_delay(shared_.options, ++attempts, *failure);
    if (!delay) return std::move(failure->error);
    TRY(pause(*delay));
  }
  TRY(part_->publish(download_.path));
  reporter_.finish(task_);
  return {};
}

std::optional<Failure> DownloadJob::attempt(Lane& lane) {
  const auto as_failure = [](Error error) { return Failure{std::move(error), false, {}}; };
  if (download_.size_bytes && part_->size_bytes() == *download_.size_bytes) return std::nullopt;
  if (part_->size_bytes() > 0 && validator_.empty() && !download_.sha256) {
    if (Result<void> done = restart(); !done.ok()) return as_failure(std::move(done).error());
  }
  std::vector<std::string> headers = download_.headers;
  if (part_->size_bytes() > 0) {
    headers.push_back(fmt::format("Range: bytes={}-", part_->size_bytes()));
    if (!validator_.empty()) headers.push_back("If-Range: " + validator_);
  }
  wanted_bytes_ = download_.size_bytes;
  Result<void> prepared = lane.exchange().prepare(
      download_.url, headers, Purpose::File, [this](const Head& head) { return accept_head(head); },
      [this](Bytes bytes) { return accept_body(bytes); });
  if (!prepared.ok()) return as_failure(std::move(prepared).error());
  auto failure = lane.perform(cancel_);
  if (!failure && wanted_bytes_ && part_->size_bytes() < *wanted_bytes_) {
    return Failure{make_error(ErrorKind::Unavailable, "`{}` broke off after {} of {} bytes", name_,
                              part_->size_bytes(), *wanted_bytes_),
                   true,
                   {}};
  }
  return failure;
}

Result<void> DownloadJob::accept_head(const Head& head) {
  if (head.is_html() && !name_.ends_with(".html")) {
    return make_error(ErrorKind::Corrupt, "`{}` answered with an HTML page instead of `{}`",
                      without_credentials(download_.url), name_)
        .hint("a proxy or a login page may stand in between");
  }
  std::optional<std::uint64_t> whole;
  if (head.status == 206) {
    const auto range = parse_content_range(head.find("content-range").value_or(""));
    if (!range || range->first != part_->size_bytes()) {
      return make_error(ErrorKind::Unavailable, "`{}` answered with another range than asked for",
                        without_credentials(download_.url));
    }
    whole = range->total_bytes;
  } else {
    if (part_->size_bytes() > 0) TRY(restart());  // the server sends all of it
    whole = parse_number(head.find("content-length").value_or(""));
  }
  if (whole && download_.size_bytes && *whole != *download_.size_bytes) {
    return make_error(ErrorKind::Corrupt, "`{}` has {} bytes at `{}`, but {} were expected", name_,
                      *whole, without_credentials(download_.url), *download_.size_bytes);
  }
  if (whole) wanted_bytes_ = whole;
  const auto tag = head.find("etag");
  validator_ = tag && tag->starts_with('"') ? std::string(*tag) : "";
  return {};
}

Result<void> DownloadJob::accept_body(Bytes bytes) {
  if (wanted_bytes_ && part_->size_bytes() + bytes.size() > *wanted_bytes_) {
    return make_error(ErrorKind::Corrupt, "`{}` is longer than the {} bytes that were expected",
                      name_, *wanted_bytes_);
  }
  TRY(part_->append(bytes));
  report_progress();
  return {};
}

void DownloadJob::report_progress() {
  // After a restart the bytes come a second time: they are reported once.
  if (part_->size_bytes() <= reported_bytes_) return;
  reporter_.advance(task_, part_->size_bytes() - reported_bytes_);
  reported_bytes_ = part_->size_bytes();
}

Result<void> DownloadJob::check_whole() {
  if (!download_.sha256) return {};
  const Digest actual = part_->finish_hash();
  if (actual == *download_.sha256) return {};
  return make_error(ErrorKind::Corrupt, "`{}` from `{}` has sha256 {}, but {} was expected", name_,
                    without_credentials(download_.url), actual.hex(), download_.sha256->hex())
      .hint("the file was replaced on its index, or changed on the way here");
}

}  // namespace slipway::http
