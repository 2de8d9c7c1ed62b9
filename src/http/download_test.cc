#include "http/download.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "http/testing/fake_server.h"

namespace slipway::http {
namespace {

using testing::FakeRequest;
using testing::FakeResponse;
using testing::FakeServer;

std::string make_body(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>((i * 7 + i / 251) & 0xff);
  return body;
}

/// Counts what is reported.
class CountingReporter final : public Reporter {
 public:
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<int> finished = 0;
  TaskId start(std::string_view, std::string_view, std::uint64_t) override { return 1; }
  void advance(TaskId, std::uint64_t count) override { bytes += count; }
  void finish(TaskId) override { ++finished; }
  void done(std::string_view) override {}
  void note(std::string_view) override {}
  void warn(std::string_view) override {}
};

struct Fixture {
  Fixture() : folder(TemporaryFolder::create("/tmp", "download").value()) {}

  void serve(FakeServer::Handler handler) {
    server = FakeServer::start(std::move(handler)).value();
  }
  void serve_well() {
    serve([this](const FakeRequest& r) { return testing::serve_bytes(r, body, "\"1\""); });
  }
  Download download(bool has_hash = true) const {
    Download one{server->url() + "/f.whl", path(), {}, {}, ""};
    if (has_hash) one.sha256 = sha256(body);
    if (has_hash) one.size_bytes = body.size();
    return one;
  }
  Result<void> fetch(const Download& one) {
    return download_all(client, {&one, 1}, 1, reporter, cancel);
  }
  std::string path() const { return folder.path() + "/f.whl"; }
  std::vector<std::string> left() const { return list_folder(folder.path()).value(); }
  static Client make_client() {
    ClientOptions options;
    options.retries = 2;
    options.first_delay = options.longest_delay = std::chrono::milliseconds(1);
    return Client::create(options).value();
  }

  TemporaryFolder folder;
  std::string body = make_body(300'000);
  std::unique_ptr<FakeServer> server;
  Client client = make_client();
  CountingReporter reporter;
  CancelToken cancel;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a file arrives whole, reported, and leaves nothing beside it") {
  serve_well();
  for (const bool has_hash : {true, false}) {
    REQUIRE(fetch(download(has_hash)).ok());
    CHECK(read_file(path()).value() == body);
    CHECK(left() == Names{"f.whl"});
    REQUIRE(remove_file(path()).ok());
  }
  CHECK(reporter.bytes == 2 * body.size());
  CHECK(reporter.finished == 2);
  body.clear();
  CHECK(fetch(download()).ok());
  CHECK(read_file(path()).value().empty());
}

TEST_CASE_FIXTURE(Fixture, "what is there is not fetched again") {
  serve_well();
  REQUIRE(fetch(download()).ok());
  REQUIRE(fetch(download()).ok());
  CHECK(server->requests().size() == 1);
  REQUIRE(write_file(path(), "too short").ok());
  REQUIRE(fetch(download()).ok());
  CHECK(read_file(path()).value() == body);
}

TEST_CASE_FIXTURE(Fixture, "a file that need not last is judged by its hash where it is found") {
  serve_well();
  Download wanted = download();
  wanted.lasts = false;
  REQUIRE(fetch(wanted).ok());
  REQUIRE(fetch(wanted).ok());
  CHECK(server->requests().size() == 1);
  REQUIRE(write_file(path(), std::string(body.size(), 'x')).ok());
  REQUIRE(fetch(wanted).ok());
  CHECK(read_file(path()).value() == body);
  CHECK(left() == Names{"f.whl"});
}

TEST_CASE_FIXTURE(Fixture, "a connection that breaks again and again is resumed, not restarted") {
  serve([this](const FakeRequest& request) {
    FakeResponse response = testing::serve_bytes(request, body, "\"1\"");
    response.cut_after = 40'000;
    return response;
  });
  REQUIRE(fetch(download()).ok());
  CHECK(read_file(path()).value() == body);
  CHECK(server->requests().size() == 8);  // each gets 40,000 bytes further
  CHECK(server->requests()[3].headers.at("range") == "bytes=120000-");
  CHECK(server->requests()[3].headers.at("if-range") == "\"1\"");
  CHECK(reporter.bytes == body.size());
}

TEST_CASE_FIXTURE(Fixture, "a part from an earlier call: good, of another file, too long") {
  serve_well();
  struct Case {
    const char* name;
    std::string part;
    std::size_t requests;
  };
  const Case cases[] = {
      {"good", body.substr(0, 100'000), 1},
      {"whole", body, 0},
      {"other bytes", std::string(100'000, 'x'), 2},
      {"other bytes, whole", std::string(body.size(), 'x'), 1},
      {"too long", body + body, 1},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const std::size_t before = server->requests().size();
    REQUIRE(write_file(path() + ".part", one.part).ok());
    REQUIRE(fetch(download()).ok());
    CHECK(read_file(path()).value() == body);
    CHECK(server->requests().size() - before == one.requests);
    REQUIRE(remove_file(path()).ok());
  }
  REQUIRE(write_file(path() + ".part", std::string(100, 'x')).ok());
  REQUIRE(fetch(download(false)).ok());  // no hash to judge it: not trusted
  CHECK(read_file(path()).value() == body);
}

TEST_CASE_FIXTURE(Fixture, "a server that ignores ranges sends it all again") {
  std::atomic<int> count = 0;
  serve([&](const FakeRequest&) {
    FakeResponse response{.body = body};
    if (count++ == 0) response.cut_after = 100'000;
    return response;
  });
  REQUIRE(fetch(download()).ok());
  CHECK(read_file(path()).value() == body);
  CHECK(reporter.bytes == body.size());
}

TEST_CASE_FIXTURE(Fixture, "a file that changes while it is fetched is fetched anew") {
  const std::string old = make_body(200'000);
  std::atomic<int> count = 0;
  serve([&](const FakeRequest& request) {
    if (count++ > 0) return testing::serve_bytes(request, body, "\"2\"");
    FakeResponse response = testing::serve_bytes(request, old, "\"1\"");
    response.cut_after = 100'000;
    return response;
  });
  REQUIRE(fetch(download(false)).ok());
  CHECK(read_file(path()).value() == body);
}

TEST_CASE_FIXTURE(Fixture, "wrong bytes are told and not kept") {
  serve_well();
  Download wrong_hash = download();
  wrong_hash.sha256 = sha256("other");
  const auto hash = fetch(wrong_hash);
  REQUIRE_FALSE(hash.ok());
  CHECK(hash.error().kind == ErrorKind::Corrupt);
  CHECK(hash.error().message.find(sha256("other").hex()) != std::string::npos);
  CHECK(hash.error().message.find(sha256(body).hex()) != std::string::npos);
  Download wrong_size = download();
  wrong_size.size_bytes = 5;
  CHECK(fetch(wrong_size).error().kind == ErrorKind::Corrupt);
  CHECK_FALSE(path_exists(path()));
  CHECK_FALSE(path_exists(path() + ".part"));
}

TEST_CASE_FIXTURE(Fixture, "no file there: the kind of the failure") {
  struct Case {
    FakeResponse response;
    ErrorKind kind;
    std::size_t requests;
  };
  const Case cases[] = {
      {{.status = 404}, ErrorKind::NotFound, 1},
      {{.status = 403}, ErrorKind::Denied, 1},
      {{.status = 500}, ErrorKind::Unavailable, 3},
      {{.headers = {"Content-Type: text/html"}, .body = "<html>log in"}, ErrorKind::Corrupt, 1},
      {{.body = make_body(300'000), .cut_after = 0}, ErrorKind::Unavailable, 3},
  };
  for (const Case& one : cases) {
    CAPTURE(one.response.status);
    serve([&](const FakeRequest&) { return one.response; });
    const auto done = fetch(download());
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().kind == one.kind);
    CHECK(done.error().steps == Names{"downloading f.whl"});
    CHECK(server->requests().size() == one.requests);
    CHECK_FALSE(path_exists(path()));
  }
}

TEST_CASE_FIXTURE(Fixture, "cancelled in the middle: stops, and the part can be resumed") {
  serve([this](const FakeRequest& request) {
    FakeResponse response = testing::serve_bytes(request, body, "\"1\"");
    if (!request.headers.contains("range")) response.hold_after = 120'000;
    return response;
  });
  std::thread stopper([this] {
    while (reporter.bytes < 120'000) std::this_thread::yield();
    cancel.cancel();
  });
  const auto done = fetch(download());
  stopper.join();
  CHECK(done.error().kind == ErrorKind::Cancelled);
  CHECK(file_size(path() + ".part").value() == 120'000);
  CancelToken fresh;
  const Download again = download();
  REQUIRE(download_all(client, {&again, 1}, 1, reporter, fresh).ok());
  CHECK(read_file(path()).value() == body);
  CHECK(server->requests().size() == 2);
}

TEST_CASE_FIXTURE(Fixture, "a full disk is called a full disk") {
  serve_well();
  REQUIRE(::symlink("/dev/full", (path() + ".part").c_str()) == 0);
  Download one = download();
  one.sha256.reset();
  const auto done = fetch(one);
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().kind == ErrorKind::Io);
  CHECK(done.error().message.find("disk is full") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "two at once for one path: one fetches, both succeed") {
  serve([this](const FakeRequest& request) {
    FakeResponse response = testing::serve_bytes(request, body, "\"1\"");
    response.piece_bytes = 1000;
    return response;
  });
  std::vector<Download> twice = {download(), download()};
  Client other = make_client();
  std::thread process([&] {
    SilentReporter silent;
    CHECK(download_all(other, twice, 2, silent, cancel).ok());
  });
  CHECK(download_all(client, twice, 2, reporter, cancel).ok());
  process.join();
  CHECK(server->requests().size() == 1);
  CHECK(left() == Names{"f.whl"});
}

TEST_CASE_FIXTURE(Fixture, "many files over few connections; the first failure ends the rest") {
  serve([this](const FakeRequest& request) {
    if (request.path == "/bad") return FakeResponse{.status = 404};
    return testing::serve_bytes(request, body + request.path, "\"1\"");
  });
  std::vector<Download> many;
  for (int i = 0; i < 20; ++i) {
    const std::string name = fmt::format("/{}.whl", i);
    many.push_back({server->url() + name, folder.path() + name, sha256(body + name), {}, ""});
  }
  REQUIRE(download_all(client, many, 4, reporter, cancel).ok());
  CHECK(left().size() == 20);
  CHECK(server->connection_count() <= 4);
  for (const Download& one : many) REQUIRE(remove_file(one.path).ok());
  many.insert(many.begin() + 10,
              {server->url() + "/bad", folder.path() + "/bad", {}, {}, "bad 1.0"});
  const auto done = download_all(client, many, 4, reporter, cancel);
  CHECK(done.error().kind == ErrorKind::NotFound);
  CHECK(done.error().steps == Names{"downloading bad 1.0"});
}

}  // namespace slipway::http
