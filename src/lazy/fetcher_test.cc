#include "lazy/fetcher.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <future>
#include <map>
#include <random>

#include "base/file.h"

using namespace slipway;
using namespace slipway::lazy;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kPiece = BlobPieces::kPieceBytes;

std::string random_bytes(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

/// A registry of two blobs, which can be told to fail and to wait.
struct Remote {
  std::vector<std::string> blobs{random_bytes(20 * kPiece + 77, 1), random_bytes(3 * kPiece, 2)};
  std::mutex mutex;
  std::condition_variable changed;
  bool is_held = false;
  int failures = 0;
  std::vector<std::pair<std::size_t, std::uint64_t>> asked;

  Fetcher::FetchRange fetch() {
    return [this](std::size_t blob, std::uint64_t first, std::uint64_t bytes,
                  const CancelToken& cancel) -> Result<std::string> {
      std::unique_lock lock(mutex);
      asked.emplace_back(blob, first);
      changed.notify_all();
      while (is_held && !cancel.cancelled()) changed.wait_for(lock, 10ms);
      if (failures > 0) {
        --failures;
        return make_error(ErrorKind::Unavailable, "the network is gone");
      }
      return blobs[blob].substr(first, bytes);
    };
  }
  void hold(bool held) {
    const std::lock_guard lock(mutex);
    is_held = held;
    changed.notify_all();
  }
  void wait_for_question() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !asked.empty(); });
  }
};

struct Place {
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "fetcher").value();
  Remote remote;
  std::vector<BlobPieces> blobs;
  Place() { open(); }
  void open() {
    blobs.clear();
    for (std::size_t i = 0; i < remote.blobs.size(); ++i) {
      blobs.push_back(
          BlobPieces::open(join_path(folder.path(), std::to_string(i)), remote.blobs[i].size())
              .value());
    }
  }
  std::string read_all(std::size_t blob, std::uint64_t first, std::size_t count) const {
    std::string bytes;
    while (bytes.size() < count) bytes += read(blob, first + bytes.size(), count - bytes.size());
    return bytes;
  }
  std::string read(std::size_t blob, std::uint64_t first, std::size_t count) const {
    std::string bytes(count, '\0');
    const auto got =
        blobs[blob].read(first, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()});
    REQUIRE(got.ok());
    bytes.resize(*got);
    return bytes;
  }
};

}  // namespace

TEST_CASE("what is needed is there when the call returns, and nothing else was asked for") {
  Place place;
  Fetcher fetcher(place.blobs, place.remote.fetch(), {});
  REQUIRE(fetcher.need(0, 5 * kPiece - 1, 2).ok());
  CHECK(place.read(0, 5 * kPiece - 1, 2) == place.remote.blobs[0].substr(5 * kPiece - 1, 2));
  CHECK(place.blobs[0].bytes_come() == 2 * kPiece);
  REQUIRE(fetcher.need(0, 20 * kPiece, 1000).ok());  // beyond the end
  CHECK(place.blobs[0].bytes_come() == 2 * kPiece + 77);
  const std::size_t asked = place.remote.asked.size();
  REQUIRE(fetcher.need(0, 5 * kPiece, 10).ok());
  CHECK(place.remote.asked.size() == asked);
}

TEST_CASE("the rest comes, each blob is told once as whole, and a new start takes it up") {
  Place place;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::size_t, int> whole;
  const auto on_whole = [&](std::size_t blob) {
    const std::lock_guard lock(mutex);
    ++whole[blob];
    changed.notify_all();
  };
  const auto wait = [&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return whole.size() == 2; });
  };
  {
    Fetcher fetcher(place.blobs, place.remote.fetch(), {.workers = 1, .on_whole = on_whole});
    fetcher.expect(1, 0, 3 * kPiece);
    fetcher.fetch_rest();
    wait();
    CHECK(fetcher.fetched_bytes() >= place.remote.blobs[0].size() + place.remote.blobs[1].size());
  }
  CHECK(whole == std::map<std::size_t, int>{{0, 1}, {1, 1}});
  CHECK(place.remote.asked.front().first == 1);  // what was expected came first
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(place.blobs[i].is_complete());
    CHECK(read_file(place.blobs[i].path()).value() == place.remote.blobs[i]);
  }
  const std::size_t asked = place.remote.asked.size();
  whole.clear();
  place.open();
  Fetcher again(place.blobs, place.remote.fetch(), {.on_whole = on_whole});
  again.fetch_rest();
  wait();
  CHECK(place.remote.asked.size() == asked);
  REQUIRE(again.forget(1, 0, 1).ok());
  REQUIRE(again.need(1, 0, 1).ok());
  CHECK(place.remote.asked.size() > asked);
}

TEST_CASE("the rest waits as long as it was put off, and nothing else does") {
  Place place;
  std::promise<void> whole;
  Fetcher fetcher(place.blobs, place.remote.fetch(), {.on_whole = [&](std::size_t blob) {
                    if (blob == 1) whole.set_value();
                  }});
  fetcher.put_off_rest(1h);
  fetcher.fetch_rest();
  fetcher.expect(1, 0, 1);
  REQUIRE(fetcher.need(1, 0, 1).ok());
  REQUIRE(fetcher.need(0, 0, 1).ok());
  std::this_thread::sleep_for(300ms);  // the rest would have begun
  CHECK(place.blobs[0].bytes_come() == kPiece);
  CHECK(place.blobs[1].bytes_come() == kPiece);
  fetcher.put_off_rest(0ms);
  whole.get_future().wait();
  CHECK(place.blobs[1].is_complete());
}

TEST_CASE("who waits hears of a failure; the next call, and the rest, try again") {
  Place place;
  place.remote.failures = 1;
  Fetcher fetcher(place.blobs, place.remote.fetch(), {.workers = 1, .first_pause = 1ms});
  const auto failed = fetcher.need(0, 0, 10);
  REQUIRE(!failed.ok());
  CHECK(failed.error().message == "the network is gone");
  CHECK(place.blobs[0].bytes_come() == 0);
  CHECK(fetcher.need(0, 0, 10).ok());
  {
    const std::lock_guard lock(place.remote.mutex);
    place.remote.failures = 3;
  }
  fetcher.fetch_rest();
  for (int i = 0; i < 3000 && !place.blobs[0].is_complete(); ++i) std::this_thread::sleep_for(10ms);
  CHECK(place.blobs[0].is_complete());
}

TEST_CASE("what is forgotten while somebody waits for it comes again for him") {
  Place place;
  Fetcher fetcher(place.blobs, place.remote.fetch(), {});
  REQUIRE(fetcher.need(1, 0, 1).ok());
  place.remote.hold(true);
  place.remote.asked.clear();
  std::promise<Result<void>> needed;
  auto answer = needed.get_future();
  std::jthread waiter([&] { needed.set_value(fetcher.need(1, kPiece - 1, 2)); });
  place.remote.wait_for_question();  // for the second piece: the first is there
  REQUIRE(fetcher.forget(1, 0, 1).ok());
  place.remote.hold(false);
  CHECK(answer.get().ok());
  CHECK(place.read(1, kPiece - 1, 2) == place.remote.blobs[1].substr(kPiece - 1, 2));
}

TEST_CASE("what is released takes no room, and does not come with the rest, but for who needs it") {
  for (const bool is_held : {false, true}) {
    CAPTURE(is_held);
    Place place;
    std::atomic<int> whole = 0;
    Fetcher fetcher(place.blobs, place.remote.fetch(),
                    {.on_whole = [&](std::size_t) { ++whole; }, .may_hold = {is_held}});
    REQUIRE(fetcher.need(0, 0, 5 * kPiece).ok());
    CHECK(place.blobs[0].held_bytes() == (is_held ? 5 * kPiece : 0));
    CHECK(place.read_all(0, 0, 5 * kPiece) == place.remote.blobs[0].substr(0, 5 * kPiece));
    // The first piece has something before it, the last one something behind it.
    REQUIRE(fetcher.release(0, 10, 5 * kPiece - 20).ok());
    CHECK(place.blobs[0].held_bytes() == (is_held ? 2 * kPiece : 0));
    REQUIRE(fetcher.write_held(0, 10, 5 * kPiece - 20).ok());
    CHECK(place.blobs[0].held_bytes() == 0);
    CHECK(place.blobs[0].bytes_come() == 5 * kPiece);
    CHECK(place.read_all(0, 0, kPiece) == place.remote.blobs[0].substr(0, kPiece));
    CHECK(place.read_all(0, 4 * kPiece, kPiece) ==
          place.remote.blobs[0].substr(4 * kPiece, kPiece));
    struct stat status {};
    REQUIRE(::stat(place.blobs[0].path().c_str(), &status) == 0);
    CHECK(static_cast<std::uint64_t>(status.st_blocks) * 512 <= 2 * kPiece);
    place.remote.asked.clear();
    fetcher.fetch_rest();
    for (int i = 0; i < 3000 && whole < 2; ++i) std::this_thread::sleep_for(10ms);
    CHECK(whole == 2);
    CHECK(place.blobs[0].is_complete());
    CHECK_FALSE(place.blobs[0].has(2));
    CHECK(place.blobs[0].held_bytes() == 0);
    for (const auto& [blob, first] : place.remote.asked) CHECK((blob == 1 || first >= 5 * kPiece));
    REQUIRE(fetcher.need(0, 2 * kPiece, 10).ok());
    CHECK(place.read(0, 2 * kPiece, 10) == place.remote.blobs[0].substr(2 * kPiece, 10));
    REQUIRE(fetcher.want_back(0, 0, place.remote.blobs[0].size()).ok());
    for (int i = 0; i < 3000 && !place.blobs[0].is_complete(); ++i)
      std::this_thread::sleep_for(10ms);
    REQUIRE(fetcher.write_held(0, 0, place.remote.blobs[0].size()).ok());
    CHECK(read_file(place.blobs[0].path()).value() == place.remote.blobs[0]);
  }
}

TEST_CASE("what is released before it came completes its blob; to another process it is missing") {
  Place place;
  {
    std::atomic<int> whole = 0;
    Fetcher fetcher(place.blobs, place.remote.fetch(), {.on_whole = [&](std::size_t) { ++whole; }});
    fetcher.put_off_rest(1h);
    fetcher.fetch_rest();
    REQUIRE(fetcher.need(1, 0, kPiece).ok());
    CHECK(whole == 0);
    REQUIRE(fetcher.release(1, kPiece, 2 * kPiece).ok());
    CHECK(whole == 1);
    CHECK(place.blobs[1].is_complete());
  }
  place.open();
  CHECK(place.blobs[1].bytes_come() == kPiece);
}

TEST_CASE(
    "what is not needed yet waits while there is no room in memory; what is needed does not") {
  Place place;
  Fetcher fetcher(place.blobs, place.remote.fetch(),
                  {.workers = 1, .may_hold = {true}, .most_held_bytes = 16 * kPiece});
  fetcher.expect(0, 0, 20 * kPiece);
  for (int i = 0; i < 3000 && place.blobs[0].bytes_come() < 8 * kPiece; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  fetcher.expect(1, 0, 1);  // of a blob that is not held
  for (int i = 0; i < 3000 && place.blobs[1].bytes_come() == 0; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  CHECK(place.blobs[0].bytes_come() == 8 * kPiece);
  REQUIRE(fetcher.need(0, 12 * kPiece, 8 * kPiece).ok());
  REQUIRE(fetcher.need(0, 20 * kPiece, 1).ok());
  CHECK(place.blobs[0].held_bytes() == 16 * kPiece);  // the last one was written at once
  REQUIRE(fetcher.release(0, 0, 8 * kPiece).ok());
  REQUIRE(fetcher.release(0, 12 * kPiece, 8 * kPiece).ok());
  for (int i = 0; i < 3000 && place.blobs[0].held_bytes() < 4 * kPiece; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  CHECK(place.blobs[0].is_complete());
}

TEST_CASE("an answer of another length is none") {
  Place place;
  place.remote.blobs[1].resize(2 * kPiece);
  Fetcher fetcher(place.blobs, place.remote.fetch(), {});
  const auto failed = fetcher.need(1, 2 * kPiece, 10);
  REQUIRE(!failed.ok());
  CHECK(failed.error().kind == ErrorKind::Corrupt);
}

TEST_CASE("the end of the fetcher ends those who wait") {
  Place place;
  place.remote.hold(true);
  auto fetcher = std::make_unique<Fetcher>(place.blobs, place.remote.fetch(), Fetcher::Options{});
  Result<void> result;
  Fetcher* const borrowed = fetcher.get();
  std::jthread waiter([&] { result = borrowed->need(0, 0, 10); });
  place.remote.wait_for_question();
  fetcher.reset();
  waiter.join();
  CHECK(!result.ok());
}

TEST_CASE("a map of pieces that does not fit the blob counts as none") {
  Place place;
  REQUIRE(place.blobs[1].write(0, as_bytes(place.remote.blobs[1])).ok());
  place.open();
  CHECK(place.blobs[1].is_complete());
  REQUIRE(write_file(place.blobs[1].path() + ".pieces", "1").ok());
  place.open();
  CHECK(place.blobs[1].bytes_come() == 0);
}
