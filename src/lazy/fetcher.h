/// Brings the pieces of several blobs: what somebody waits for first, then what is expected to be
/// needed, in its order, then the rest.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "lazy/blob_pieces.h"

namespace slipway::lazy {

/// All calls are safe from any thread. Threads of its own fetch; they end with the object.
class Fetcher {
 public:
  /// Exactly those bytes of the blob, or why not. Called from several threads.
  using FetchRange = std::function<Result<std::string>(
      std::size_t blob, std::uint64_t first, std::uint64_t bytes, const CancelToken& cancel)>;
  struct Options {
    std::size_t workers = 4;
    /// After a failure of what nobody waits for; doubles up to a minute.
    std::chrono::milliseconds first_pause{1000};
    /// Nothing of a blob is missing. Called once for each, also where it was so from the start, and
    /// once more when something has come that was forgotten; on a thread of the fetcher's or one
    /// that calls fetch_rest or release. It should return soon.
    std::function<void(std::size_t blob)> on_whole{};
    /// Of these blobs, what is needed, hurried or expected is held in memory, up to so many bytes:
    /// whoever asked for it releases it soon, or calls `write_held`. Then what is not needed yet
    /// waits until there is room.
    std::vector<bool> may_hold{};
    std::uint64_t most_held_bytes = 48 << 20;
  };

  /// Borrows the blobs.
  Fetcher(std::vector<BlobPieces>& blobs, FetchRange fetch, Options options);
  ~Fetcher();

  /// Blocks until these bytes are there; asks for `ahead` bytes in their place where those are
  /// more. Fails as the attempt to fetch them did (the next call tries again), and with Cancelled
  /// once the fetcher ends.
  Result<void> need(std::size_t blob, std::uint64_t first, std::uint64_t bytes,
                    std::uint64_t ahead = 0);
  /// They will be needed now: to be fetched by all workers before anything that is only expected.
  void hurry(std::size_t blob, std::uint64_t first, std::uint64_t bytes);
  void expect(std::size_t blob, std::uint64_t first, std::uint64_t bytes);
  /// From now on everything comes, while nobody waits for anything.
  void fetch_rest();
  /// Not for so long, though: somebody is at work with what has come.
  void put_off_rest(std::chrono::milliseconds time);
  /// Somebody works on what was needed, and will need more: the rest has time.
  class Urgency {
   public:
    explicit Urgency(Fetcher& fetcher);
    ~Urgency();
    Urgency(const Urgency&) = delete;

   private:
    Fetcher& fetcher_;
  };
  /// These bytes were not the right ones: they are missing again, also those released.
  Result<void> forget(std::size_t blob, std::uint64_t first, std::uint64_t bytes);

  /// These bytes have had their use, and nobody reads them: the pieces that lie in them wholly do
  /// not come with the rest, and their room is given back. Who needs them again has them fetched.
  Result<void> release(std::size_t blob, std::uint64_t first, std::uint64_t bytes);
  /// What was released of these bytes is missing again.
  Result<void> want_back(std::size_t blob, std::uint64_t first, std::uint64_t bytes);
  /// Of these bytes nothing is only held in memory afterwards.
  Result<void> write_held(std::size_t blob, std::uint64_t first, std::uint64_t bytes);
  /// Over the network, since the start.
  std::uint64_t fetched_bytes() const;

 private:
  /// Busy: being fetched, or given back.
  enum class State : std::uint8_t { Missing, Busy, There, Failed, Released };
  struct Range {
    std::size_t blob, next, end;  ///< pieces
  };
  struct Job {
    std::size_t blob, first, count;
    bool may_hold = false;
  };
  Range range_of(std::size_t blob, std::uint64_t first, std::uint64_t bytes) const;
  enum class Need { Now, Soon, Later, Rest };
  std::optional<Job> take_from(std::deque<Range>& ranges, Need need);
  bool may_hold(std::size_t blob) const;
  std::uint64_t held_bytes() const;
  std::vector<Range> set_aside(const Range& pieces);
  void end_release(const Range& pieces, State state);
  std::optional<Job> take_rest();
  std::optional<Job> take_job();
  void work();
  void end_waiting();
  void finish(const Job& job, const Result<void>& fetched);
  Result<void> forget_pieces(const Range& range, State state);
  Result<void> fetch(const Job& job);
  void tell_whole(std::size_t blob);

  std::vector<BlobPieces>& blobs_;
  FetchRange fetch_;
  Options options_;
  CancelToken cancel_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::vector<State>> states_;
  std::vector<std::size_t> missing_;  ///< pieces of each blob that are to come
  std::deque<Range> awaited_, hurried_, expected_;
  std::uint64_t forgotten_ = 0;  ///< how often pieces became missing again
  bool wants_rest_ = false;
  std::size_t waiting_ = 0;                          ///< calls of need, and urgencies
  std::chrono::steady_clock::time_point rest_from_;  ///< before that, no rest
  std::size_t rest_blob_ = 0, rest_piece_ = 0;
  std::optional<Error> failure_;
  std::chrono::milliseconds pause_;
  std::chrono::steady_clock::time_point not_before_{};
  std::uint64_t fetched_bytes_ = 0;
  std::vector<std::jthread> workers_;
};

}  // namespace slipway::lazy
