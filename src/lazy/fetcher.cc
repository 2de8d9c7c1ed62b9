#include "lazy/fetcher.h"

#include <algorithm>

namespace slipway::lazy {
namespace {

using namespace std::chrono_literals;

/// One request asks for so many pieces at most: large enough that its latency does not count, small
/// enough that what is awaited does not wait long for a worker.
constexpr std::size_t kMostPieces = 8;
constexpr std::chrono::milliseconds kLongestPause = 60s;
/// Who waited for something is likely to want more.
constexpr std::chrono::milliseconds kQuiet = 200ms;

}  // namespace

Fetcher::Fetcher(std::vector<BlobPieces>& blobs, FetchRange fetch, Options options)
    : blobs_(blobs),
      fetch_(std::move(fetch)),
      options_(std::move(options)),
      pause_(options_.first_pause) {
  for (const BlobPieces& blob : blobs_) {
    std::vector<State>& states = states_.emplace_back(blob.count(), State::Missing);
    std::size_t missing = 0;
    for (std::size_t i = 0; i < blob.count(); ++i) {
      if (blob.has(i)) states[i] = State::There;
      missing += blob.has(i) ? 0 : 1;
    }
    missing_.push_back(missing);
  }
  for (std::size_t i = 0; i < options_.workers; ++i) workers_.emplace_back([this] { work(); });
}

Fetcher::~Fetcher() {
  {
    const std::lock_guard lock(mutex_);
    cancel_.cancel();
  }
  changed_.notify_all();
  workers_.clear();
}

Fetcher::Range Fetcher::range_of(std::size_t blob, std::uint64_t first, std::uint64_t bytes) const {
  const std::uint64_t end = std::min(first + bytes, blobs_[blob].size_bytes());
  return {blob, static_cast<std::size_t>(first / BlobPieces::kPieceBytes),
          static_cast<std::size_t>((end + BlobPieces::kPieceBytes - 1) / BlobPieces::kPieceBytes)};
}

void Fetcher::hurry(std::size_t blob, std::uint64_t first, std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    hurried_.push_back(range_of(blob, first, bytes));
  }
  changed_.notify_all();
}

void Fetcher::expect(std::size_t blob, std::uint64_t first, std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    expected_.push_back(range_of(blob, first, bytes));
  }
  changed_.notify_all();
}

Result<void> Fetcher::need(std::size_t blob, std::uint64_t first, std::uint64_t bytes,
                           std::uint64_t ahead) {
  const Range range = range_of(blob, first, bytes);
  std::unique_lock lock(mutex_);
  std::vector<State>& states = states_[blob];
  const auto any = [&](State state) {
    const auto first_piece = states.begin() + static_cast<std::ptrdiff_t>(range.next);
    const auto end_piece = states.begin() + static_cast<std::ptrdiff_t>(range.end);
    return std::find(first_piece, end_piece, state) != end_piece;
  };
  for (std::size_t i = range.next; i < range.end; ++i) {
    if (states[i] == State::Failed) states[i] = State::Missing;
  }
  ++waiting_;
  std::optional<std::uint64_t> asked_at;
  Result<void> brought_back = forget_pieces(range, State::Released);
  while (brought_back.ok() && !cancel_.cancelled() && !any(State::Failed) &&
         (any(State::Missing) || any(State::Busy))) {
    // Once; and again where others have forgotten what was there already.
    if (any(State::Missing) && asked_at != forgotten_) {
      awaited_.push_front(range_of(blob, first, std::max(bytes, ahead)));
      asked_at = forgotten_;
      changed_.notify_all();
    }
    changed_.wait(lock);
    brought_back = forget_pieces(range, State::Released);
  }
  end_waiting();
  TRY(brought_back);
  if (any(State::Failed)) return *failure_;
  return cancel_.check();
}

/// Under the mutex: those that are so are missing again.
Result<void> Fetcher::forget_pieces(const Range& range, State state) {
  for (std::size_t i = range.next; i < range.end; ++i) {
    if (states_[range.blob][i] != state) continue;
    TRY(blobs_[range.blob].forget(i));
    states_[range.blob][i] = State::Missing;
    ++missing_[range.blob];
    ++forgotten_;
    rest_blob_ = rest_piece_ = 0;
  }
  return {};
}

void Fetcher::fetch_rest() {
  std::vector<std::size_t> whole;
  {
    const std::lock_guard lock(mutex_);
    wants_rest_ = true;
    for (std::size_t i = 0; i < blobs_.size(); ++i) {
      if (missing_[i] == 0) whole.push_back(i);
    }
  }
  changed_.notify_all();
  for (const std::size_t blob : whole) tell_whole(blob);
}

void Fetcher::put_off_rest(std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  rest_from_ = std::chrono::steady_clock::now() + time;
}

/// Under the mutex.
void Fetcher::end_waiting() {
  --waiting_;
  rest_from_ = std::max(rest_from_, std::chrono::steady_clock::now() + kQuiet);
}

Fetcher::Urgency::Urgency(Fetcher& fetcher) : fetcher_(fetcher) {
  const std::lock_guard lock(fetcher_.mutex_);
  ++fetcher_.waiting_;
}

Fetcher::Urgency::~Urgency() {
  const std::lock_guard lock(fetcher_.mutex_);
  fetcher_.end_waiting();
}

Result<void> Fetcher::forget(std::size_t blob, std::uint64_t first, std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    const Range range = range_of(blob, first, bytes);
    TRY(forget_pieces(range, State::There));
    TRY(forget_pieces(range, State::Released));
  }
  changed_.notify_all();
  return {};
}

Result<void> Fetcher::want_back(std::size_t blob, std::uint64_t first, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  return forget_pieces(range_of(blob, first, bytes), State::Released);
}

Result<void> Fetcher::write_held(std::size_t blob, std::uint64_t first, std::uint64_t bytes) {
  if (blobs_[blob].held_bytes() == 0) return {};
  const Range range = range_of(blob, first, bytes);
  TRY(blobs_[blob].write_held(range.next, range.end - range.next));
  changed_.notify_all();  // there is room
  return {};
}

/// Makes them Busy: runs of those that have come, and of those that have not.
std::vector<Fetcher::Range> Fetcher::set_aside(const Range& pieces) {
  const std::lock_guard lock(mutex_);
  std::vector<Range> runs;
  bool had_come = false;
  for (std::size_t i = pieces.next; i < pieces.end; ++i) {
    State& state = states_[pieces.blob][i];
    if (state == State::Busy || state == State::Released) continue;
    const bool has_come = state == State::There;
    if (!has_come) --missing_[pieces.blob];
    state = State::Busy;
    if (runs.empty() || runs.back().end != i || has_come != had_come) {
      runs.push_back({pieces.blob, i, i});
    }
    runs.back().end = i + 1;
    had_come = has_come;
  }
  return runs;
}

void Fetcher::end_release(const Range& pieces, State state) {
  const auto [blob, first, end] = pieces;
  const std::lock_guard lock(mutex_);
  std::fill(states_[blob].begin() + static_cast<std::ptrdiff_t>(first),
            states_[blob].begin() + static_cast<std::ptrdiff_t>(end), state);
  if (state == State::Missing) missing_[blob] += end - first;
}

Result<void> Fetcher::release(std::size_t blob, std::uint64_t first, std::uint64_t bytes) {
  constexpr std::uint64_t kPiece = BlobPieces::kPieceBytes;
  Result<void> released;
  bool is_news = false;
  for (const Range& run : set_aside({blob, static_cast<std::size_t>((first + kPiece - 1) / kPiece),
                                     static_cast<std::size_t>((first + bytes) / kPiece)})) {
    const bool had_come = blobs_[blob].has(run.next);
    const Result<void> result = blobs_[blob].release(run.next, run.end - run.next);
    end_release(run, result.ok() ? State::Released : had_come ? State::There : State::Missing);
    if (!result.ok()) released = result;
    is_news = is_news || (result.ok() && !had_come);
  }
  {
    const std::lock_guard lock(mutex_);
    is_news = is_news && missing_[blob] == 0 && wants_rest_;
  }
  changed_.notify_all();
  if (is_news) tell_whole(blob);
  return released;
}

std::uint64_t Fetcher::fetched_bytes() const {
  const std::lock_guard lock(mutex_);
  return fetched_bytes_;
}

bool Fetcher::may_hold(std::size_t blob) const {
  return blob < options_.may_hold.size() && options_.may_hold[blob];
}

std::uint64_t Fetcher::held_bytes() const {
  std::uint64_t bytes = 0;
  for (const BlobPieces& blob : blobs_) bytes += blob.held_bytes();
  return bytes;
}

/// The next run of missing pieces in the first of the ranges that has one. What failed is tried
/// again by itself, but who waits for it hears of the failure first.
std::optional<Fetcher::Job> Fetcher::take_from(std::deque<Range>& ranges, Need need) {
  // Who waits will release it; half of the room is his.
  const bool has_room =
      need == Need::Now || need == Need::Rest || held_bytes() < options_.most_held_bytes / 2;
  const bool tries_again = need == Need::Later || need == Need::Rest;
  for (auto range = ranges.begin(); range != ranges.end();) {
    const auto is_wanted = [&, &states = states_[range->blob]](std::size_t i) {
      return states[i] == State::Missing || (states[i] == State::Failed && tries_again);
    };
    while (range->next < range->end && !is_wanted(range->next)) ++range->next;
    if (range->next == range->end) {
      range = ranges.erase(range);
      continue;
    }
    if (!has_room && may_hold(range->blob)) {
      ++range;
      continue;
    }
    Job job{range->blob, range->next, 0, need != Need::Rest && may_hold(range->blob)};
    while (range->next < range->end && job.count < kMostPieces && is_wanted(range->next)) {
      ++range->next;
      ++job.count;
    }
    return job;
  }
  return std::nullopt;
}

std::optional<Fetcher::Job> Fetcher::take_rest() {
  for (; rest_blob_ < blobs_.size(); ++rest_blob_, rest_piece_ = 0) {
    std::deque<Range> rest{{rest_blob_, rest_piece_, blobs_[rest_blob_].count()}};
    if (const auto job = take_from(rest, Need::Rest)) {
      rest_piece_ = job->first + job->count;
      return job;
    }
  }
  return std::nullopt;
}

std::optional<Fetcher::Job> Fetcher::take_job() {
  auto job = take_from(awaited_, Need::Now);
  if (!job) job = take_from(hurried_, Need::Soon);
  const auto now = std::chrono::steady_clock::now();
  if (!job && now >= not_before_) {
    job = take_from(expected_, Need::Later);
    const bool is_quiet = waiting_ == 0 && now >= rest_from_;
    if (!job && wants_rest_ && is_quiet) job = take_rest();
  }
  if (job) {
    std::fill_n(states_[job->blob].begin() + static_cast<std::ptrdiff_t>(job->first), job->count,
                State::Busy);
  }
  return job;
}

void Fetcher::work() {
  std::unique_lock lock(mutex_);
  while (!cancel_.cancelled()) {
    const std::optional<Job> job = take_job();
    if (!job) {
      // Woken by what is new; by the clock until it is quiet, or a failure was waited out.
      const bool is_failing = std::chrono::steady_clock::now() < not_before_;
      const bool has_rest = wants_rest_ && rest_blob_ < blobs_.size();
      changed_.wait_for(lock, is_failing ? pause_ : has_rest ? kQuiet : kLongestPause);
      continue;
    }
    lock.unlock();
    const Result<void> fetched = fetch(*job);
    finish(*job, fetched);
    lock.lock();
  }
}

Result<void> Fetcher::fetch(const Job& job) {
  BlobPieces& blob = blobs_[job.blob];
  const std::uint64_t first = job.first * BlobPieces::kPieceBytes;
  const std::uint64_t bytes =
      std::min(job.count * BlobPieces::kPieceBytes, blob.size_bytes() - first);
  const std::string got = TRY(fetch_(job.blob, first, bytes, cancel_));
  if (got.size() != bytes) {
    return make_error(ErrorKind::Corrupt, "{} bytes came where {} were asked for", got.size(),
                      bytes);
  }
  if (!job.may_hold || held_bytes() >= options_.most_held_bytes) {
    return blob.write(job.first, as_bytes(got));
  }
  blob.hold(job.first, as_bytes(got));
  return {};
}

void Fetcher::finish(const Job& job, const Result<void>& fetched) {
  bool is_whole = false;
  {
    const std::lock_guard lock(mutex_);
    State state = State::There;
    if (fetched.ok()) {
      missing_[job.blob] -= job.count;
      is_whole = missing_[job.blob] == 0 && wants_rest_;
      fetched_bytes_ += job.count * BlobPieces::kPieceBytes;
      pause_ = options_.first_pause;
    } else {
      failure_ = fetched.error();
      state = State::Failed;
      not_before_ = std::chrono::steady_clock::now() + pause_;
      pause_ = std::min(2 * pause_, kLongestPause);
      rest_blob_ = rest_piece_ = 0;
    }
    std::fill_n(states_[job.blob].begin() + static_cast<std::ptrdiff_t>(job.first), job.count,
                state);
  }
  changed_.notify_all();
  if (is_whole) tell_whole(job.blob);
}

void Fetcher::tell_whole(std::size_t blob) {
  if (options_.on_whole) options_.on_whole(blob);
}

}  // namespace slipway::lazy
