#include "registry/upload.h"

#include <doctest/doctest.h>

#include <atomic>

#include "base/file.h"
#include "registry/testing/pushes.h"

using namespace slipway;
using namespace slipway::registry;
using namespace slipway::registry::testing;

namespace {

constexpr std::size_t kChunk = 1 << 20;
constexpr std::size_t kCut = 300'000;
constexpr int kCutChunk = 4;  ///< the one in which a push is killed

const std::string& bytes() {
  static const std::string all = large_bytes();
  return all;
}

std::string find_record(const std::string& folder) {
  const auto names = list_folder(folder);
  for (const std::string& name : *names) {
    if (name.ends_with(".json")) return join_path(folder, name);
  }
  return "";
}

/// A registry and a folder of records, which pushes come back to.
struct Bench {
  TemporaryFolder records = TemporaryFolder::create("/tmp", "slipway-upload").value();
  std::unique_ptr<FakeRegistry> fake;
  std::atomic<int> writers = 0;

  explicit Bench(FakeOptions options = {}) : fake(FakeRegistry::start(std::move(options))) {}

  Result<Sent> push(const CancelToken& cancel = {}, std::chrono::seconds grace = {}) {
    Registry registry = open(*fake);
    registry.set_upload_rules({records.path(), kChunk, grace});
    const Blob blob{sha256(bytes()), bytes().size(), [&](Sink& out) {
                      ++writers;
                      return out.write(as_bytes(bytes()));
                    }};
    return registry.push_blob("a", blob, {}, {}, cancel);
  }
  bool has_it() const { return fake->find_blob("a", sha256(bytes())) == bytes(); }
  std::string record_path() const { return find_record(records.path()); }
  /// Of the bodies that came whole.
  std::size_t body_bytes() const {
    std::size_t sum = 0;
    const auto requests = fake->server().requests();
    for (const FakeRequest& request : requests) {
      if (request.path.find("/uploads/") != std::string::npos) sum += request.body.size();
    }
    return sum;
  }
};

/// Faults by the number of the PATCH, counted from 1. Shared by the two pushes of a test.
struct Kill {
  CancelToken cancel;
  std::atomic<int> patches = 0;

  /// The connection breaks in the middle of the chunk, and the push is over.
  void in_a_chunk(FakeOptions& options) { after(kCut, options); }
  /// The chunk never comes to the registry.
  void between_chunks(FakeOptions& options) { after(0, options); }

 private:
  void after(std::size_t bytes, FakeOptions& options) {
    options.cut_body = [this, bytes](const FakeRequest& request) -> std::optional<std::size_t> {
      if (!is_upload(request, "PATCH") || ++patches != kCutChunk) return std::nullopt;
      return bytes;
    };
    // Not before the registry has these bytes, whose state is locked now.
    options.keep = [this](const FakeRequest&) -> std::optional<std::size_t> {
      if (patches == kCutChunk) cancel.cancel();
      return std::nullopt;
    };
  }
};

}  // namespace

TEST_CASE("upload: a large blob goes up in chunks, from one writer") {
  Bench bench;
  REQUIRE(bench.push().ok());
  CHECK(bench.has_it());
  CHECK(bench.writers == 1);
  CHECK(bench.body_bytes() == bytes().size());
  std::size_t at = 0;
  for (const FakeRequest& request : bench.fake->server().requests()) {
    if (request.method != "PATCH") continue;
    CHECK(request.headers.at("content-range") ==
          fmt::format("{}-{}", at, at + request.body.size() - 1));
    CHECK(request.body.size() <= kChunk);
    at += request.body.size();
  }
  CHECK(bench.fake->count("PATCH", "/uploads/") == 10);
  CHECK(list_folder(bench.records.path())->empty());
}

TEST_CASE("upload: the push after a killed one goes on where the registry is") {
  struct Case {
    std::string name;
    FakeOptions::Uploads uploads;
    void (Kill::*kill)(FakeOptions&);
    std::size_t kept;  ///< of the first push
  };
  using Uploads = FakeOptions::Uploads;
  const Case cases[] = {
      {"in a chunk", Uploads::Anywhere, &Kill::in_a_chunk, 3 * kChunk + kCut},
      {"between chunks", Uploads::Anywhere, &Kill::between_chunks, 3 * kChunk},
      {"between chunks, by state", Uploads::AtState, &Kill::between_chunks, 3 * kChunk},
      {"in a chunk, by state: lost", Uploads::AtState, &Kill::in_a_chunk, 0},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    Kill kill;
    FakeOptions options;
    options.uploads = one.uploads;
    (kill.*one.kill)(options);
    Bench bench(options);
    const auto killed = bench.push(kill.cancel);
    REQUIRE(!killed.ok());
    CHECK(killed.error().kind == ErrorKind::Cancelled);
    CHECK(!bench.record_path().empty());
    const std::size_t before = bench.body_bytes();
    const auto sent = bench.push();
    if (!sent.ok()) MESSAGE(sent.error().message);
    CHECK(sent.ok());
    CHECK(bench.has_it());
    CHECK(bench.body_bytes() - before == bytes().size() - one.kept);
    CHECK(bench.writers == 2);
    CHECK(bench.fake->count("POST", "/uploads/") == (one.kept > 0 ? 1 : 2));
    CHECK(list_folder(bench.records.path())->empty());
  }
}

TEST_CASE("upload: a cancelled chunk may end within its grace") {
  Kill kill;
  FakeOptions options;
  options.uploads = FakeOptions::Uploads::AtState;
  options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
    if (is_upload(request, "PATCH") && ++kill.patches == kCutChunk) kill.cancel.cancel();
    return std::nullopt;
  };
  Bench bench(options);
  CHECK(bench.push(kill.cancel, std::chrono::seconds(60)).error().kind == ErrorKind::Cancelled);
  CHECK(bench.body_bytes() == kCutChunk * kChunk);
  REQUIRE(bench.push().ok());
  CHECK(bench.has_it());
  CHECK(bench.body_bytes() == bytes().size());
}

TEST_CASE("upload: whatever is not as expected begins anew, quietly") {
  struct Case {
    std::string name;
    std::optional<FakeResponse> answer;  ///< to the question how far it is
    std::string record;                  ///< in place of what was noted
    bool goes_on = false;
    int times = 1;  ///< that it is answered so
  };
  const Case cases[] = {
      {"lost", FakeResponse{404}, ""},
      {"gone", FakeResponse{410}, ""},
      {"trouble", FakeResponse{500}, ""},
      {"dropped", FakeResponse{.drop = true}, "", false, 2},  // libcurl asks once more
      {"denied", FakeResponse{403}, ""},
      {"a login", FakeResponse{401}, ""},
      {"no range", FakeResponse{204}, ""},
      {"another status", FakeResponse{200, {"Range: 0-1048575"}}, ""},
      {"a range that is none", FakeResponse{204, {"Range: 0-x"}}, ""},
      {"more than the blob", FakeResponse{204, {"Range: 0-99999999"}}, ""},
      {"another host", FakeResponse{204, {"Range: 0-1048575", "Location: http://127.0.0.1:1/v2/x"}},
       ""},
      {"behind", FakeResponse{204, {"Range: 0-1048575"}}, "", true},
      {"ahead", FakeResponse{204, {"Range: 0-5242879"}}, "", true},
      {"nothing", FakeResponse{204, {"Range: 0-0"}}, "", true},
      {"a broken record", {}, "{"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    Kill kill;
    std::atomic<int> asked = 0;
    FakeOptions options;
    kill.in_a_chunk(options);
    options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
      return is_upload(request, "GET") && ++asked <= one.times ? one.answer : std::nullopt;
    };
    Bench bench(options);
    REQUIRE(!bench.push(kill.cancel).ok());
    if (!one.record.empty()) REQUIRE(write_file(bench.record_path(), one.record).ok());
    const auto sent = bench.push();
    if (!sent.ok()) MESSAGE(sent.error().message);
    CHECK(sent.ok());
    CHECK(bench.has_it());
    CHECK(bench.fake->count("POST", "/uploads/") == (one.goes_on ? 1 : 2));
    CHECK(list_folder(bench.records.path())->empty());
  }
}

TEST_CASE("upload: a record that leads to another host is not followed") {
  auto other = http::testing::FakeServer::start([](const FakeRequest&) {
                 return FakeResponse{204, {"Range: 0-1048575"}};
               }).value();
  Bench bench;
  const UploadTarget target{bench.fake->host(), "a", sha256(bytes())};
  UploadRecord::take(bench.records.path(), target)->note({other->url() + "/v2/x", kChunk, 0});
  CHECK(bench.push().ok());
  CHECK(bench.has_it());
  CHECK(other->requests().empty());
}

TEST_CASE("upload: what another push left may be of other bytes") {
  Kill kill;
  std::atomic<int> ends = 0;
  FakeOptions options;
  kill.in_a_chunk(options);
  options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
    if (!is_upload(request, "PUT") || ++ends > 1) return std::nullopt;
    return FakeResponse{400, {}, "digest invalid"};
  };
  Bench bench(options);
  REQUIRE(!bench.push(kill.cancel).ok());
  CHECK(bench.push().ok());
  CHECK(bench.has_it());
  CHECK(ends == 2);
  CHECK(bench.fake->server().requests().back().body.empty());  // in chunks again
}

TEST_CASE("upload: of two pushes at once each has its own") {
  Kill kill;
  FakeOptions options;
  kill.between_chunks(options);
  Bench bench(options);
  REQUIRE(!bench.push(kill.cancel).ok());
  const std::string noted = read_file(bench.record_path()).value();
  {
    const auto other =
        UploadRecord::take(bench.records.path(), {bench.fake->host(), "a", sha256(bytes())});
    REQUIRE(other);
    CHECK(bench.push().ok());
  }
  CHECK(bench.has_it());
  CHECK(bench.fake->count("POST", "/uploads/") == 2);
  CHECK(read_file(bench.record_path()).value() == noted);
}

TEST_CASE("upload: a connection that breaks in a chunk costs no byte twice") {
  std::atomic<int> patches = 0;
  FakeOptions options;
  options.cut_body = [&](const FakeRequest& request) -> std::optional<std::size_t> {
    if (is_upload(request, "PATCH") && ++patches == kCutChunk) return kCut;
    return std::nullopt;
  };
  Bench bench(options);
  REQUIRE(bench.push().ok());
  CHECK(bench.has_it());
  CHECK(bench.body_bytes() == bytes().size() - kCut);
  CHECK(bench.writers == 2);
}

TEST_CASE("upload: a registry that keeps less than was sent gets the rest again") {
  std::atomic<int> patches = 0;
  FakeOptions options;
  options.keep = [&](const FakeRequest&) -> std::optional<std::size_t> {
    ++patches;
    if (patches == 2) return kCut;
    if (patches == 3) return 0;
    return std::nullopt;
  };
  Bench bench(options);
  REQUIRE(bench.push().ok());
  CHECK(bench.has_it());
  CHECK(bench.fake->count("POST", "/uploads/") == 1);

  options.keep = [&](const FakeRequest&) { return 0; };
  Bench hopeless(options);
  CHECK(hopeless.push().error().kind == ErrorKind::Unavailable);
}

TEST_CASE("upload: a registry that refuses chunks gets one PUT") {
  struct Case {
    std::string name;
    const char* method;
    int status;
    int first, last;  ///< of the requests of that method that carry or end chunks
  };
  const Case cases[] = {
      {"no Content-Range", "PATCH", 400, 1, 99},
      {"no PATCH", "PATCH", 405, 1, 99},
      {"not implemented", "PATCH", 501, 1, 99},
      {"never in range", "PATCH", 416, 1, 99},
      {"always lost", "PATCH", 404, 1, 99},
      {"one PATCH", "PATCH", 400, 2, 99},
      {"only the last chunk is kept", "PUT", 400, 1, 1},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    std::atomic<int> seen = 0;
    FakeOptions options;
    options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
      if (!is_upload(request, one.method)) return std::nullopt;
      const int number = ++seen;
      if (number < one.first || number > one.last) return std::nullopt;
      return FakeResponse{one.status};
    };
    Bench bench(options);
    const auto sent = bench.push();
    if (!sent.ok()) MESSAGE(sent.error().message);
    CHECK(sent.ok());
    CHECK(bench.has_it());
    const FakeRequest last = bench.fake->server().requests().back();
    CHECK(last.method == "PUT");
    CHECK(last.body.size() == bytes().size());
    CHECK(list_folder(bench.records.path())->empty());
  }
}

TEST_CASE("upload: one PUT that breaks off begins anew") {
  std::atomic<int> puts = 0;
  FakeOptions options;
  options.fault = [](const FakeRequest& request) -> std::optional<FakeResponse> {
    return is_upload(request, "PATCH") ? std::optional(FakeResponse{405}) : std::nullopt;
  };
  options.cut_body = [&](const FakeRequest& request) -> std::optional<std::size_t> {
    return is_upload(request, "PUT") && ++puts == 1 ? std::optional(kCut) : std::nullopt;
  };
  Bench bench(options);
  CHECK(bench.push().ok());
  CHECK(bench.has_it());
  CHECK(puts == 2);
}

TEST_CASE("upload: chunks are as long as the registry wants them") {
  Kill kill;
  FakeOptions options;
  options.least_chunk_bytes = 2 * kChunk;
  kill.in_a_chunk(options);
  Bench bench(options);
  REQUIRE(!bench.push(kill.cancel).ok());
  REQUIRE(bench.push().ok());
  CHECK(bench.has_it());
  std::vector<std::size_t> sizes;
  for (const FakeRequest& request : bench.fake->server().requests()) {
    if (request.method == "PATCH") sizes.push_back(request.body.size());
  }
  REQUIRE(sizes.size() > 3);
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) CHECK(sizes[i] == 2 * kChunk);
}

TEST_CASE("upload: an address on another host is neither noted nor told the login") {
  FakeOptions elsewhere;
  std::atomic<bool> leaked = false, was_noted = false;
  std::string records;
  elsewhere.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
    if (request.headers.contains("authorization")) leaked = true;
    if (!find_record(records).empty()) was_noted = true;
    return std::nullopt;
  };
  const auto other = FakeRegistry::start(elsewhere);
  FakeOptions options;
  options.auth = FakeOptions::Auth::Basic;
  options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
    if (!is_upload(request, "POST") || !request.headers.contains("authorization")) {
      return std::nullopt;
    }
    const http::Sender sender(http::Client::create(quick()).value());
    const http::Message message{"POST", other->server().url() + "/v2/a/blobs/uploads/"};
    const auto opened = sender.send(message, CancelToken()).value();
    return FakeResponse{
        202,
        {fmt::format("Location: {}{}", other->server().url(), *opened.find_header("location"))}};
  };
  const auto fake = FakeRegistry::start(options);
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-upload").value();
  records = folder.path();
  Registry registry = open(*fake, kLogin);
  registry.set_upload_rules({records, kChunk, std::chrono::seconds(0)});
  const auto sent = registry.push_blob("a", blob_of(bytes()), {}, {}, CancelToken());
  if (!sent.ok()) MESSAGE(sent.error().message);
  CHECK(sent.ok());
  CHECK(other->find_blob("a", sha256(bytes())) == bytes());
  CHECK(!leaked);
  CHECK(!was_noted);
}
