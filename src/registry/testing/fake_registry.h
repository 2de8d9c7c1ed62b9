/// A registry in memory, on 127.0.0.1, that does on request what bad ones do. For tests of any
/// module.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/digest.h"
#include "base/threads.h"
#include "http/testing/fake_server.h"

namespace slipway::registry::testing {

using http::testing::FakeRequest;
using http::testing::FakeResponse;

/// Asked before every request; an answer stands in for the registry's own. From many threads.
using Fault = std::function<std::optional<FakeResponse>(const FakeRequest&)>;

struct FakeOptions {
  enum class Auth { None, Basic, Bearer } auth = Auth::None;
  std::string user = "me", password = "secret";
  enum class Mounts { Taken, Ignored } mounts = Mounts::Taken;
  enum class Referrers { Kept, Unknown } referrers = Referrers::Kept;
  /// AtState: an upload is known only by the Location that tells what it has, as with Distribution
  /// before 3; a PATCH that breaks off leaves it lost.
  enum class Uploads { Anywhere, AtState } uploads = Uploads::Anywhere;
  std::size_t least_chunk_bytes = 0;  ///< told with `OCI-Chunk-Min-Length`
  Fault fault{};
  /// How much of a PATCH's body is kept, where it is not all.
  std::function<std::optional<std::size_t>(const FakeRequest&)> keep{};
  http::testing::FakeServer::CutBody cut_body{};
  std::set<std::string> bad_tokens{};  ///< taken back
};

class FakeRegistry {
 public:
  static std::unique_ptr<FakeRegistry> start(FakeOptions options = {});

  std::string host() const { return server_->url().substr(7); }
  http::testing::FakeServer& server() { return *server_; }
  void add_blob(const std::string& repository, const std::string& bytes);
  void add_manifest(const std::string& repository, const std::string& tag, const std::string& text,
                    const std::string& media_type);
  std::optional<std::string> find_blob(const std::string& repository, const Digest& digest);
  std::optional<std::string> find_manifest(const std::string& repository, const std::string& tag);
  /// How many requests were of this method and had `part` in their path.
  std::size_t count(const std::string& method, const std::string& part);

 private:
  struct Manifest {
    std::string text, media_type;
  };
  struct State {
    std::map<std::string, std::map<std::string, std::string>> blobs;   ///< repository, digest
    std::map<std::string, std::map<std::string, Manifest>> manifests;  ///< repository, reference
    std::map<std::string, std::string> uploads;
    int made = 0;
  };

  explicit FakeRegistry(FakeOptions options) : options_(std::move(options)) {}
  FakeResponse answer(const FakeRequest& request);
  std::optional<FakeResponse> refuse(const FakeRequest& request);
  FakeResponse give_token(const FakeRequest& request);
  FakeResponse answer_blobs(State& state, const FakeRequest& request, const std::string& repository,
                            const std::string& rest);
  FakeResponse answer_uploads(State& state, const FakeRequest& request,
                              const std::string& repository, const std::string& rest);
  FakeResponse answer_manifests(State& state, const FakeRequest& request,
                                const std::string& repository, const std::string& reference);
  FakeResponse answer_referrers(State& state, const std::string& repository,
                                const std::string& subject);

  FakeOptions options_;
  Guarded<State> state_;
  std::unique_ptr<http::testing::FakeServer> server_;
};

}  // namespace slipway::registry::testing
