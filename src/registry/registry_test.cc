#include "registry/registry.h"

#include <doctest/doctest.h>

#include <atomic>

#include "base/file.h"
#include "registry/testing/fake_registry.h"
#include "registry/testing/pushes.h"

using namespace slipway;
using namespace slipway::registry;
using namespace slipway::registry::testing;

namespace {

Result<Sent> push(Registry& registry, const std::string& repository, const std::string& bytes,
                  std::vector<std::string> mount_from = {}) {
  return registry.push_blob(repository, blob_of(bytes), mount_from, {}, CancelToken());
}

}  // namespace

TEST_CASE("registry: a blob is sent once, found, or mounted") {
  const auto fake = FakeRegistry::start();
  Registry registry = open(*fake);
  for (const std::string& bytes : {std::string("small"), std::string(), large_bytes()}) {
    CAPTURE(bytes.size());
    CHECK(push(registry, "a/b", bytes).value() == Sent::Sent);
    CHECK(fake->find_blob("a/b", sha256(bytes)) == bytes);
    CHECK(push(registry, "a/b", bytes).value() == Sent::WasThere);
    CHECK(push(registry, "c", bytes, {"not/there", "a/b"}).value() ==
          (Sent::Sent));  // the registry answers the first mount by an upload
    CHECK(push(registry, "d", bytes, {"a/b"}).value() == Sent::Mounted);
    CHECK(fake->find_blob("d", sha256(bytes)) == bytes);
  }
  FakeOptions options;
  options.mounts = FakeOptions::Mounts::Ignored;
  const auto other = FakeRegistry::start(options);
  Registry at_other = open(*other);
  CHECK(push(at_other, "a", "x").value() == Sent::Sent);
  CHECK(push(at_other, "b", "x", {"a"}).value() == Sent::Sent);
  CHECK(other->find_blob("b", sha256("x")) == "x");
}

TEST_CASE("registry: of one that does not answer both ways are told, the likely one first") {
  const auto server = http::testing::FakeServer::start([](const FakeRequest&) {
                        FakeResponse silence;
                        silence.drop = true;
                        return silence;
                      }).value();
  const std::string host = server->url().substr(std::string("http://").size());
  const auto opened = Registry::open({host, Trust::Checked, {}}, quick(), CancelToken());
  REQUIRE(!opened.ok());
  CHECK(opened.error().kind == ErrorKind::Unavailable);
  CHECK(opened.error().message.find(server->url()) != std::string::npos);
  REQUIRE(opened.error().because.size() == 1);
  CHECK(opened.error().because[0].find("by https it fails too: ") == 0);
}

TEST_CASE("registry: logins") {
  struct Case {
    FakeOptions::Auth auth;
    Login login;
    bool works;
  };
  const Case cases[] = {
      {FakeOptions::Auth::Basic, kLogin, true},
      {FakeOptions::Auth::Bearer, kLogin, true},
      {FakeOptions::Auth::Basic, {}, false},
      {FakeOptions::Auth::Bearer, {}, false},
      {FakeOptions::Auth::Basic, {"me", "wrong", ""}, false},
      {FakeOptions::Auth::Bearer, {"me", "wrong", ""}, false},
  };
  for (const Case& one : cases) {
    FakeOptions options;
    options.auth = one.auth;
    const auto fake = FakeRegistry::start(options);
    Registry registry = open(*fake, one.login);
    const auto sent = push(registry, "a", "bytes");
    CHECK(sent.ok() == one.works);
    if (!sent.ok()) {
      CHECK(sent.error().kind == ErrorKind::Denied);
      CHECK(sent.error().message.find("secret") == std::string::npos);
      CHECK(!sent.error().hints.empty());
      CHECK(fake->server().requests().size() < 6);
    }
    if (one.works) {
      CHECK(registry.fetch_small("a", oci::describe("x/y", "bytes"), 100, CancelToken()).value() ==
            "bytes");
    }
  }
}

TEST_CASE("registry: 401 for ever ends; a token that is taken back is fetched again") {
  FakeOptions options;
  options.auth = FakeOptions::Auth::Bearer;
  options.fault = [](const FakeRequest& request) -> std::optional<FakeResponse> {
    if (request.path.find("/blobs/") == std::string::npos) return std::nullopt;
    return FakeResponse{401, {"WWW-Authenticate: Basic realm=\"x\""}};
  };
  const auto looping = FakeRegistry::start(options);
  Registry registry = open(*looping, kLogin);
  CHECK(push(registry, "a", "x").error().kind == ErrorKind::Denied);
  CHECK(looping->server().requests().size() < 8);

  options.fault = {};
  options.bad_tokens = {"token-push-1"};
  const auto fake = FakeRegistry::start(options);
  Registry other = open(*fake, kLogin);
  CHECK(push(other, "a", "x").ok());
  CHECK(fake->count("GET", "/token") == 2);
}

TEST_CASE("registry: an upload goes on after every kind of trouble") {
  const std::string bytes = large_bytes();
  struct Case {
    std::string name;
    const char* method;
    std::optional<FakeResponse> answer;
    std::optional<std::size_t> cut;
  };
  const Case cases[] = {
      {"503", "PATCH", FakeResponse{503}, {}},
      {"429", "PATCH", FakeResponse{429, {"Retry-After: 0"}}, {}},
      {"401 in the middle",
       "PATCH",
       FakeResponse{401, {"WWW-Authenticate: Basic realm=\"x\""}},
       {}},
      {"an upload that is lost", "PATCH", FakeResponse{404}, {}},
      {"a chunk that is too large", "PATCH", FakeResponse{413}, {}},
      {"a body that breaks off", "PATCH", {}, 5'000'000},
      {"a body that breaks off at once", "PATCH", {}, 0},
      {"no end", "PUT", FakeResponse{502}, {}},
      {"no start", "POST", FakeResponse{500}, {}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    std::atomic<int> seen = 0;
    FakeOptions options;
    options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
      if (one.answer && is_upload(request, one.method) && ++seen == 1) return one.answer;
      return std::nullopt;
    };
    options.cut_body = [&](const FakeRequest& request) -> std::optional<std::size_t> {
      if (one.cut && is_upload(request, one.method) && ++seen == 1) return one.cut;
      return std::nullopt;
    };
    const auto fake = FakeRegistry::start(options);
    Registry registry = open(*fake);
    const auto sent = push(registry, "a", bytes);
    if (!sent.ok()) MESSAGE(sent.error().message);
    CHECK(sent.ok());
    CHECK(seen >= 1);
    CHECK(fake->find_blob("a", sha256(bytes)) == bytes);
  }
}

TEST_CASE("registry: what never gets better ends, and says why") {
  const std::string bytes = large_bytes();
  struct Case {
    FakeResponse answer;
    ErrorKind kind;
  };
  const Case cases[] = {
      {{503}, ErrorKind::Unavailable},
      {{403}, ErrorKind::Denied},
      {{201, {"Docker-Content-Digest: sha256:" + std::string(64, '0')}}, ErrorKind::Corrupt},
  };
  for (const Case& one : cases) {
    CAPTURE(one.answer.status);
    FakeOptions options;
    options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
      if (is_upload(request, "PUT")) return one.answer;
      return std::nullopt;
    };
    const auto fake = FakeRegistry::start(options);
    Registry registry = open(*fake);
    const auto sent = push(registry, "a", bytes);
    REQUIRE(!sent.ok());
    CHECK(sent.error().kind == one.kind);
  }
  const auto fake = FakeRegistry::start();
  Registry registry = open(*fake);
  const Blob broken{sha256("x"), 10, [](Sink&) -> Result<void> {
                      return make_error(ErrorKind::Io, "the wheel is gone");
                    }};
  CHECK(registry.push_blob("a", broken, {}, {}, CancelToken()).error().message ==
        "the wheel is gone");
  const Blob lie{sha256("x"), 10, [](Sink& out) { return out.write(as_bytes("x")); }};
  CHECK(registry.push_blob("a", lie, {}, {}, CancelToken()).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("registry: manifests are what their digests say") {
  const auto fake = FakeRegistry::start();
  Registry registry = open(*fake);
  const CancelToken cancel;
  const std::string type(oci::kMediaTypeManifest);
  CHECK(registry.push_manifest("a", "1", type, "{}", cancel).ok());
  CHECK(registry.fetch_manifest("a", "1", cancel)->text == "{}");
  CHECK(registry.fetch_manifest("a", sha256("{}").text(), cancel)->media_type == type);
  CHECK(registry.find_manifest("a", "1", cancel).value() == sha256("{}"));
  CHECK(registry.find_manifest("a", "2", cancel).value() == std::nullopt);
  CHECK(registry.fetch_manifest("a", "2", cancel).error().kind == ErrorKind::NotFound);
  fake->add_manifest("a", sha256("other").text(), "not other", type);
  CHECK(registry.fetch_manifest("a", sha256("other").text(), cancel).error().kind ==
        ErrorKind::Corrupt);
  fake->add_manifest("a", "old", "{}", "application/vnd.docker.distribution.manifest.v1+prettyjws");
  CHECK(registry.fetch_manifest("a", "old", cancel).error().kind == ErrorKind::Unsupported);
  fake->add_manifest("a", "huge", std::string(10 << 20, ' '), type);
  CHECK(registry.fetch_manifest("a", "huge", cancel).error().kind == ErrorKind::Corrupt);
}

TEST_CASE("registry: blobs come whole and right, whatever happens on the way") {
  const std::string bytes = large_bytes();
  struct Case {
    std::string name;
    std::function<FakeResponse(const FakeRequest&, int count)> answer;
    bool works;
  };
  const auto cut = [&](const FakeRequest& request, int count) {
    FakeResponse response = http::testing::serve_bytes(request, bytes, "\"e\"");
    if (count < 3) response.cut_after = 1'000'000;
    return response;
  };
  const auto whole = [&](int, std::optional<std::size_t> at) {
    FakeResponse response{200, {}, bytes};
    response.cut_after = at;
    return response;
  };
  const Case cases[] = {
      {"breaks off twice", cut, true},
      {"ranges are ignored",
       [&](const FakeRequest&, int count) {
         return whole(count, count == 1 ? std::optional<std::size_t>(1'000'000) : std::nullopt);
       },
       true},
      {"trouble first",
       [&](const FakeRequest&, int count) {
         return count < 3 ? FakeResponse{503} : FakeResponse{200, {}, bytes};
       },
       true},
      {"other bytes",
       [&](const FakeRequest&, int) {
         std::string other = bytes;
         other[5] = 'x';
         return FakeResponse{200, {}, other};
       },
       false},
      {"fewer bytes",
       [&](const FakeRequest&, int) {
         return FakeResponse{200, {}, bytes.substr(1)};
       },
       false},
      {"more bytes",
       [&](const FakeRequest&, int) {
         return FakeResponse{200, {}, bytes + "x"};
       },
       false},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    std::atomic<int> count = 0;
    FakeOptions options;
    options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
      if (request.path.find("/blobs/") == std::string::npos) return std::nullopt;
      return one.answer(request, ++count);
    };
    const auto fake = FakeRegistry::start(options);
    Registry registry = open(*fake);
    const TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-registry").value();
    const std::string path = folder.path() + "/blob";
    SilentReporter silent;
    const auto fetched =
        registry.fetch_blob("a", oci::describe("x/y", bytes), path, "blob", silent, CancelToken());
    CHECK(fetched.ok() == one.works);
    if (one.works) {
      CHECK(read_file(path).value() == bytes);
    } else {
      CHECK(fetched.error().kind == ErrorKind::Corrupt);
      CHECK(!path_exists(path));
    }
  }
}

TEST_CASE("registry: a redirect to another host takes no login along") {
  std::atomic<bool> leaked = false;
  auto store = http::testing::FakeServer::start([&](const FakeRequest& request) {
                 if (request.headers.contains("authorization")) leaked = true;
                 return FakeResponse{200, {}, "bytes"};
               }).value();
  for (const auto auth : {FakeOptions::Auth::Basic, FakeOptions::Auth::Bearer}) {
    FakeOptions options;
    options.auth = auth;
    options.fault = [&](const FakeRequest& request) -> std::optional<FakeResponse> {
      if (request.path.find("/blobs/") == std::string::npos) return std::nullopt;
      return FakeResponse{307, {"Location: " + store->url() + "/elsewhere"}};
    };
    const auto fake = FakeRegistry::start(options);
    Registry registry = open(*fake, kLogin);
    const oci::Descriptor blob = oci::describe("x/y", "bytes");
    CHECK(registry.fetch_small("a", blob, 100, CancelToken()).value() == "bytes");
    const TemporaryFolder folder = TemporaryFolder::create("/tmp", "slipway-registry").value();
    SilentReporter silent;
    CHECK(registry.fetch_blob("a", blob, folder.path() + "/x", "x", silent, CancelToken()).ok());
    CHECK(!leaked);
  }
}

TEST_CASE("registry: a token server in the clear, elsewhere, gets no login") {
  FakeOptions options;
  options.fault = [&](const FakeRequest&) -> std::optional<FakeResponse> {
    return FakeResponse{401, {"WWW-Authenticate: Bearer realm=\"http://example.invalid/token\""}};
  };
  const auto fake = FakeRegistry::start(options);
  Registry registry = open(*fake, kLogin);
  const auto sent = push(registry, "a", "x");
  REQUIRE(!sent.ok());
  CHECK(sent.error().message.find("which is not https") != std::string::npos);
}

TEST_CASE("registry: what is no registry") {
  FakeOptions options;
  options.fault = [](const FakeRequest&) -> std::optional<FakeResponse> {
    return FakeResponse{404};
  };
  const auto fake = FakeRegistry::start(options);
  const auto none = Registry::open({fake->host(), Trust::Checked, {}}, quick(), CancelToken());
  REQUIRE(!none.ok());
  CHECK(none.error().kind == ErrorKind::Unsupported);
  struct Case {
    const char* host;
    bool is_loopback;
  };
  for (const Case& one :
       {Case{"localhost", true}, Case{"localhost:5000", true}, Case{"127.0.0.2:1", true},
        Case{"[::1]:5000", true}, Case{"127.0.0.1.example", false},
        Case{"localhost.example", false}, Case{"10.0.0.1", false}}) {
    CAPTURE(one.host);
    CHECK(is_loopback(one.host) == one.is_loopback);
  }
}

TEST_CASE("registry: referrers, by the API and by the tag") {
  for (const auto kept : {FakeOptions::Referrers::Kept, FakeOptions::Referrers::Unknown}) {
    FakeOptions options;
    options.referrers = kept;
    const auto fake = FakeRegistry::start(options);
    Registry registry = open(*fake);
    const CancelToken cancel;
    const oci::Descriptor subject = oci::describe(oci::kMediaTypeManifest, "the image");
    CHECK(registry.list_referrers("a", subject.digest, "", cancel)->empty());
    for (const char* type : {"x/signature", "x/sbom", "x/signature"}) {
      oci::Manifest manifest;
      manifest.artifact_type = type;
      manifest.config = oci::describe("application/vnd.oci.empty.v1+json", "{}");
      manifest.subject = subject;
      CHECK(registry.push_referrer("a", oci::encode_manifest(manifest), cancel).ok());
    }
    CHECK(registry.list_referrers("a", subject.digest, "", cancel)->size() == 2);
    const auto signatures = registry.list_referrers("a", subject.digest, "x/signature", cancel);
    REQUIRE(signatures->size() == 1);
    CHECK(signatures->front().artifact_type == "x/signature");
    CHECK(fake->find_manifest("a", "sha256-" + subject.digest.hex()).has_value() ==
          (kept == FakeOptions::Referrers::Unknown));
  }
}
