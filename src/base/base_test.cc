#include <doctest/doctest.h>
#include <fcntl.h>

#include <atomic>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/open_within.h"
#include "base/process.h"
#include "base/size_text.h"
#include "base/threads.h"

using namespace slipway;

TEST_CASE("sha256 gives the vectors of FIPS 180-4") {
  CHECK(sha256("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("").text() ==
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("").base64url() == "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
  CHECK(parse_digest(sha256("abc").text()).value() == sha256("abc"));
  CHECK_FALSE(parse_digest("sha256:12").ok());
  CHECK_FALSE(parse_digest(std::string(64, 'G')).ok());
}

TEST_CASE("sizes are read as docker reads them and written for people") {
  struct Case {
    const char* text;
    std::uint64_t bytes;
  };
  for (const Case& c : {Case{"512", 512}, Case{"1k", 1024}, Case{"32g", 32ull << 30},
                        Case{"8GiB", 8ull << 30}, Case{"3mb", 3 << 20}}) {
    CAPTURE(c.text);
    CHECK(parse_size(c.text).value() == c.bytes);
  }
  for (const char* text : {"", "g", "-1", "12q", "99999999999999t", "1.5g"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text).ok());
  }
  CHECK(size_text(999) == "999 B");
  CHECK(size_text(766715424) == "767 MB");
  CHECK(size_text(3168207547) == "3.2 GB");
  CHECK(memory_text(512) == "512");
  CHECK(memory_text(32ULL << 30U) == "32g");
  CHECK(memory_text(3ULL << 29U) == "1536m");
  CHECK(memory_text((24ULL << 30U) - 1) == "23.9g");
  CHECK(memory_text(512ULL << 20U) == "512m");
  CHECK(memory_text(9000ULL << 30U) == "9000g");
  CHECK(memory_text(3ULL << 40U) == "3t");
  CHECK(memory_text(25214087168) == "23.4g");
  CHECK(memory_text(0) == "0");
}

TEST_CASE("the nearest names come first, far ones not at all") {
  const std::vector<std::string> names{"packages", "version", "index", "prerelease"};
  CHECK(find_nearest("pacakges", names) == std::vector<std::string>{"packages"});
  CHECK(find_nearest("verson", names) == std::vector<std::string>{"version"});
  CHECK(find_nearest("gpu", names).empty());
  CHECK(did_you_mean(std::vector<std::string>{"a", "b", "c"}) == "did you mean `a`, `b` or `c`?");
}

TEST_CASE("a temporary folder goes with all that is in it, read-only folders too") {
  std::string path;
  {
    auto folder = TemporaryFolder::create("/tmp", "slipway-test");
    REQUIRE(folder.ok());
    path = folder->path();
    REQUIRE(make_folders(path + "/a/b").ok());
    REQUIRE(write_file(path + "/a/b/c", "text", 0444).ok());
    CHECK(read_file(path + "/a/b/c").value() == "text");
    CHECK(list_folder(path + "/a").value() == std::vector<std::string>{"b"});
  }
  CHECK_FALSE(path_exists(path));
  CHECK(remove_tree(path).ok());
}

TEST_CASE("a way up and down again is opened while others rename") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "within").value();
  REQUIRE(make_folders(folder.path() + "/a/b").ok());
  const UniqueFd root = open_file(folder.path(), O_RDONLY | O_DIRECTORY).value();
  std::atomic<bool> is_over = false;
  // Any rename on the machine makes the kernel unsure of `..`.
  std::thread busy([&] {
    const std::string one = folder.path() + "/one", other = folder.path() + "/other";
    REQUIRE(write_file(one, "").ok());
    while (!is_over) {
      (void)::rename(one.c_str(), other.c_str());
      (void)::rename(other.c_str(), one.c_str());
    }
  });
  int failed = 0;
  for (int i = 0; i < 20000; ++i) {
    const UniqueFd fd(
        open_within(root.get(), "a/../a/b/../b", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT));
    failed += fd ? 0 : 1;
  }
  is_over = true;
  busy.join();
  CHECK(failed == 0);
}

TEST_CASE("open_beneath does not leave its folder") {
  auto folder = TemporaryFolder::create("/tmp", "slipway-test");
  REQUIRE(write_file(folder->path() + "/in", "x").ok());
  const UniqueFd fd = open_file(folder->path(), O_PATH | O_DIRECTORY).value();
  CHECK(open_beneath(fd.get(), "in", O_RDONLY).ok());
  CHECK(open_beneath(fd.get(), ".", O_RDONLY | O_DIRECTORY).ok());
  CHECK(open_beneath(fd.get(), "new", O_WRONLY | O_CREAT, 0600).ok());
  CHECK_FALSE(open_beneath(fd.get(), "../../etc/passwd", O_RDONLY).ok());
  CHECK_FALSE(open_beneath(fd.get(), "/etc/passwd", O_RDONLY).ok());
}

TEST_CASE("a lock whose file its holder removed is taken anew") {
  auto folder = TemporaryFolder::create("/tmp", "slipway-test");
  const std::string path = folder->path() + "/lock";
  auto first = FileLock::try_lock(path);
  REQUIRE(first->has_value());
  CHECK_FALSE(FileLock::try_lock(path)->has_value());
  REQUIRE(remove_file(path).ok());
  auto second = FileLock::try_lock(path);
  CHECK(second->has_value());
  first->reset();
  CHECK_FALSE(FileLock::try_lock(path)->has_value());
}

TEST_CASE("paths are folded by name") {
  CHECK(absolute_path("/a/./b/../c//d/").value() == "/a/c/d");
  CHECK(parent_path("/a") == "/");
  CHECK(parent_path("a/b/") == "a");
  CHECK(base_name("/a/b.txt") == "b.txt");
}

TEST_CASE("a program is run with its input, and its status is told") {
  ProcessOptions options;
  options.input = std::string(200000, 'x');
  const auto copied = run_process({"cat"}, options);
  REQUIRE(copied.ok());
  CHECK(copied->output == options.input);
  CHECK(run_process({"sh", "-c", "echo no >&2; exit 7"})->status == 7);
  CHECK(run_process({"sh", "-c", "echo no >&2; exit 7"})->error_output == "no\n");
  CHECK(run_process({"sh", "-c", "kill -9 $$"})->status == 137);
  CHECK(run_process({"no-such-program"}).error().kind == ErrorKind::NotFound);
  CHECK_FALSE(run_for_output({"false"}).ok());
}

TEST_CASE("parallel work stops at the first failure and reports the lowest") {
  std::atomic<int> sum{0};
  const CancelToken cancel;
  CHECK(for_each_parallel(100, 4, cancel, [&](std::size_t i) -> Result<void> {
          sum += static_cast<int>(i);
          return {};
        }).ok());
  CHECK(sum == 4950);
  const auto failed = for_each_parallel(100, 1, cancel, [&](std::size_t i) -> Result<void> {
    if (i >= 3) return make_error(ErrorKind::Io, "item {}", i);
    return {};
  });
  CHECK(failed.error().message == "item 3");
  // The first one would wait for ever; its being stopped is not what went wrong.
  const auto work = [](std::size_t i, const CancelToken& stop) -> Result<void> {
    if (i == 1) return make_error(ErrorKind::Io, "item 1");
    while (!stop.cancelled()) std::this_thread::yield();
    return stop.check();
  };
  CHECK(for_each_parallel(2, 2, cancel, work).error().message == "item 1");
  CHECK_FALSE(cancel.cancelled());
  cancel.cancel();
  CHECK(for_each_parallel(1, 1, cancel, [](std::size_t) { return Result<void>(); }).error().kind ==
        ErrorKind::Cancelled);
}

TEST_CASE("work waits at a gate until it is opened, or the work is called off") {
  Gate gate;
  std::atomic<int> passed{0};
  const auto work = [&](std::size_t i, const CancelToken& stop) -> Result<void> {
    if (i == 0) {
      std::this_thread::yield();
      if (passed > 0) return make_error(ErrorKind::Io, "it was not waited for");
      gate.open();
    } else {
      TRY(gate.wait(stop));
      ++passed;
    }
    return {};
  };
  CHECK(for_each_parallel(4, 4, CancelToken(), work).ok());
  CHECK(passed == 3);
  CHECK(gate.wait({}).ok());

  const Gate closed;
  const auto failing = [&](std::size_t i, const CancelToken& stop) -> Result<void> {
    if (i == 1) return make_error(ErrorKind::Io, "no base");
    return closed.wait(stop);
  };
  CHECK(for_each_parallel(2, 2, CancelToken(), failing).error().message == "no base");
}

TEST_CASE("two streams hashed at once are what they are alone") {
  std::string text(5000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i >> 3);
  unsigned state = 1;
  const auto next = [&](std::size_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 300; ++round) {
    Sha256 one, two;
    std::string first, second;
    for (std::size_t piece = 0; piece < 1 + next(6); ++piece) {
      const std::string_view a = std::string_view(text).substr(next(200), next(1500));
      const std::string_view b =
          round % 2 == 0 ? a : std::string_view(text).substr(next(99), next(400));
      update_both(one, as_bytes(a), two, as_bytes(b));
      first += a;
      second += b;
      const std::string_view more = std::string_view(text).substr(0, next(70));
      two.update(more);
      second += more;
    }
    CAPTURE(round);
    CHECK(one.finish() == sha256(first));
    CHECK(two.finish() == sha256(second));
  }
}
