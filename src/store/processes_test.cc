// What only several processes, and their sudden death, can show.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "store/garbage.h"
#include "store/testing/temporary_store.h"

using namespace slipway;
using namespace slipway::store;
using slipway::store::testing::TemporaryStore;

namespace {

/// A forked process that says something by `report` and is told nothing.
class Child {
 public:
  using Report = std::function<void()>;

  explicit Child(const std::function<bool(const Report&)>& body) {
    int ends[2];
    SLIPWAY_CHECK(::pipe(ends) == 0);
    pid_ = ::fork();
    SLIPWAY_CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ::close(ends[0]);
      const bool good = body([&] { SLIPWAY_CHECK(::write(ends[1], "x", 1) == 1); });
      ::_exit(good ? 0 : 1);
    }
    ::close(ends[1]);
    reports_.reset(ends[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) kill_now();
  }

  bool wait_for_report() {
    char c;
    return ::read(reports_.get(), &c, 1) == 1;
  }
  void kill_now() {
    ::kill(pid_, SIGKILL);
    (void)succeeded();
  }
  bool succeeded() {
    int status = 0;
    SLIPWAY_CHECK(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  UniqueFd reports_;
};

[[noreturn]] void sleep_until_killed() {
  for (;;) ::pause();
}

Result<Swept> collect(const Store& store, WhenBusy when_busy = WhenBusy::Fail) {
  SilentReporter reporter;
  GarbageOptions options;
  options.when_busy = when_busy;
  return collect_garbage(
      store, options, [](std::span<const Digest>) -> Result<Reachable> { return Reachable{}; },
      reporter, CancelToken());
}

Lease take_lease(const Store& store) {
  SilentReporter reporter;
  return store.lease(reporter, CancelToken()).value();
}

std::vector<std::string> names_in(const std::string& folder) { return list_folder(folder).value(); }

constexpr int kFiles = 20;

bool add_large_layer(const Store& store, int number) {
  TemporaryFolder folder = store.make_layer_folder().value();
  for (int i = 0; i < kFiles; ++i) {
    if (!write_file(fmt::format("{}/{}", folder.path(), i), "x").ok()) return false;
  }
  return store.adopt_layer(std::move(folder), sha256(std::to_string(number))).ok();
}

}  // namespace

TEST_CASE("processes that race on the same digests all succeed") {
  const TemporaryStore home;
  const auto body = [&](const Child::Report&) {
    const Store store = Store::open(home.store.home()).value();
    const Lease lease = take_lease(store);
    for (int i = 0; i < 30; ++i) {
      const std::string text(100000 + static_cast<std::size_t>(i), 'x');
      if (!store.put_blob_bytes(as_bytes(text)).ok()) return false;
      if (!add_large_layer(store, i)) return false;
      if (!store.set_image({"", "x", std::to_string(i)}, sha256(text)).ok()) return false;
    }
    return true;
  };
  Child one(body), two(body), three(body);
  CHECK(one.succeeded());
  CHECK(two.succeeded());
  CHECK(three.succeeded());
  CHECK(home.temporary_names().empty());
  for (int i = 0; i < 30; ++i) {
    CHECK(
        home.store.read_blob(sha256(std::string(100000 + static_cast<std::size_t>(i), 'x'))).ok());
    CHECK(home.store.has_layer(sha256(std::to_string(i))));
  }
  CHECK(names_in(home.store.home() + "/layers").size() == 30);
}

TEST_CASE("a new home may be opened by several processes at once") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-store").value();
  const auto body = [&](const Child::Report&) {
    const auto store = Store::open(folder.path() + "/home");
    return store.ok() && store->put_blob_bytes(as_bytes("x")).ok();
  };
  Child one(body), two(body), three(body);
  CHECK(one.succeeded());
  CHECK(two.succeeded());
  CHECK(three.succeeded());
}

TEST_CASE(
    "a process killed while it writes leaves rubbish in tmp/ only, and the next lease sweeps it") {
  const TemporaryStore home;
  Child child([&](const Child::Report& report) -> bool {
    const Lease lease = take_lease(home.store);
    BlobWriter writer = home.store.start_blob().value();
    const TemporaryFolder folder = home.store.make_layer_folder().value();
    write_file(folder.path() + "/half", "x").value();
    writer.write(as_bytes("half a bl")).value();
    report();
    sleep_until_killed();
  });
  REQUIRE(child.wait_for_report());
  {
    const Lease other = take_lease(home.store);  // somebody else is there: nothing is swept
    CHECK(home.temporary_names().size() == 2);
  }
  child.kill_now();
  CHECK(home.temporary_names().size() == 2);
  const Lease lease = take_lease(home.store);
  CHECK(home.temporary_names().empty());
  CHECK(names_in(home.store.home() + "/layers").empty());
}

TEST_CASE("wherever a process is killed, every layer and blob that is there is whole") {
  const TemporaryStore home;
  const Store& store = home.store;
  for (int round = 0; round < 12; ++round) {
    Child child([&](const Child::Report& report) -> bool {
      const Lease lease = take_lease(store);
      for (int i = 0;; ++i) {
        report();
        add_large_layer(store, round * 1000 + i);
        store.put_blob_bytes(as_bytes(std::string(50000, 'x') + std::to_string(i))).value();
        if (i % 3 == 2) store.settle_layers().value();
      }
    });
    for (int i = 0; i <= round; ++i) REQUIRE(child.wait_for_report());
    child.kill_now();
  }
  std::size_t whole = 0;
  for (const std::string& name : names_in(store.home() + "/layers")) {
    CHECK(store.has_layer(parse_digest(name).value()));
    CHECK(names_in(store.home() + "/layers/" + name).size() == kFiles);
    ++whole;
  }
  CHECK(whole > 0);
  for (const std::string& first : names_in(store.home() + "/blobs/sha256")) {
    for (const std::string& rest : names_in(store.home() + "/blobs/sha256/" + first)) {
      CHECK(store.read_blob(parse_digest(first + rest).value()).ok());
    }
  }
}

TEST_CASE(
    "garbage collection says which build it would have to wait for, and works when that is gone") {
  const TemporaryStore home;
  const Digest blob = sha256("just written");
  Child build([&](const Child::Report& report) -> bool {
    const Lease lease = take_lease(home.store);
    home.store.put_blob_bytes(as_bytes("just written")).value();
    report();
    sleep_until_killed();
  });
  REQUIRE(build.wait_for_report());
  const Error busy = collect(home.store).error();
  CHECK(busy.kind == ErrorKind::Unavailable);
  CHECK(busy.message.find(fmt::format("process {} (`", build.pid())) != std::string::npos);
  CHECK(home.store.has_blob(blob));
  build.kill_now();
  CHECK(collect(home.store).value().blobs.count == 1);
  CHECK_FALSE(home.store.has_blob(blob));
}

TEST_CASE("a killed collection is finished by the next one, and never leaves half a layer") {
  const TemporaryStore home;
  for (int i = 0; i < 40; ++i) REQUIRE(add_large_layer(home.store, i));
  // Dies where every layer is named but the trees are not gone yet, or in the midst of them.
  for (int round = 0; round < 3; ++round) {
    Child child([&](const Child::Report& report) {
      report();
      return collect(home.store).ok();
    });
    REQUIRE(child.wait_for_report());
    child.kill_now();
    for (const std::string& name : names_in(home.store.home() + "/layers")) {
      CHECK(names_in(home.store.home() + "/layers/" + name).size() == kFiles);
    }
  }
  REQUIRE(collect(home.store).ok());
  CHECK(names_in(home.store.home() + "/layers").empty());
  CHECK(home.temporary_names().empty());
}
