#include "registry/testing/fake_registry.h"

#include <fmt/format.h>

#include "oci/manifest.h"

namespace slipway::registry::testing {
namespace {

std::string header_of(const FakeRequest& request, const char* name) {
  const auto found = request.headers.find(name);
  return found == request.headers.end() ? "" : found->second;
}

/// The value of a parameter of the query, as it stands.
std::string parameter(const std::string& path, const std::string& name) {
  const std::size_t question = path.find('?');
  if (question == std::string::npos) return "";
  const std::string query = "&" + path.substr(question + 1) + "&";
  const std::size_t at = query.find("&" + name + "=");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 2;
  return query.substr(begin, query.find('&', begin) - begin);
}

}  // namespace

std::unique_ptr<FakeRegistry> FakeRegistry::start(FakeOptions options) {
  std::unique_ptr<FakeRegistry> registry(new FakeRegistry(std::move(options)));
  FakeRegistry* const raw = registry.get();
  registry->server_ = http::testing::FakeServer::start(
                          [raw](const FakeRequest& request) { return raw->answer(request); }, 0,
                          registry->options_.cut_body)
                          .value();
  return registry;
}

void FakeRegistry::add_blob(const std::string& repository, const std::string& bytes) {
  state_.with([&](State& state) { state.blobs[repository][sha256(bytes).text()] = bytes; });
}

void FakeRegistry::add_manifest(const std::string& repository, const std::string& tag,
                                const std::string& text, const std::string& media_type) {
  state_.with([&](State& state) {
    state.manifests[repository][tag] = {text, media_type};
    state.manifests[repository][sha256(text).text()] = {text, media_type};
  });
}

std::optional<std::string> FakeRegistry::find_blob(const std::string& repository,
                                                   const Digest& digest) {
  return state_.with([&](State& state) -> std::optional<std::string> {
    const auto& blobs = state.blobs[repository];
    const auto found = blobs.find(digest.text());
    return found == blobs.end() ? std::nullopt : std::optional(found->second);
  });
}

std::optional<std::string> FakeRegistry::find_manifest(const std::string& repository,
                                                       const std::string& tag) {
  return state_.with([&](State& state) -> std::optional<std::string> {
    const auto& all = state.manifests[repository];
    const auto found = all.find(tag);
    return found == all.end() ? std::nullopt : std::optional(found->second.text);
  });
}

std::size_t FakeRegistry::count(const std::string& method, const std::string& part) {
  std::size_t count = 0;
  for (const FakeRequest& request : server_->requests()) {
    if (request.method == method && request.path.find(part) != std::string::npos) ++count;
  }
  return count;
}

std::optional<FakeResponse> FakeRegistry::refuse(const FakeRequest& request) {
  const std::string given = header_of(request, "authorization");
  if (options_.auth == FakeOptions::Auth::None) return std::nullopt;
  FakeResponse refusal{401};
  if (options_.auth == FakeOptions::Auth::Basic) {
    if (given == "Basic bWU6c2VjcmV0") return std::nullopt;  // me:secret
    refusal.headers = {"WWW-Authenticate: Basic realm=\"fake\""};
    return refusal;
  }
  const std::string token = given.starts_with("Bearer ") ? given.substr(7) : "";
  const bool is_good = token.starts_with("token-") && !options_.bad_tokens.contains(token);
  const bool may_write = token.find("push") != std::string::npos || request.method == "GET" ||
                         request.method == "HEAD";
  if (is_good && may_write) return std::nullopt;
  refusal.headers = {fmt::format(
      "WWW-Authenticate: Bearer realm=\"{}/token\",service=\"fake service\"", server_->url())};
  return refusal;
}

FakeResponse FakeRegistry::give_token(const FakeRequest& request) {
  if (header_of(request, "authorization") != "Basic bWU6c2VjcmV0") return {401};
  const int number = state_.with([](State& state) { return ++state.made; });
  const bool pushes = request.path.find("push") != std::string::npos;
  return {200,
          {},
          fmt::format(R"({{"token": "token-{}{}", "expires_in": 300}})", pushes ? "push-" : "",
                      number)};
}

FakeResponse FakeRegistry::answer(const FakeRequest& request) {
  if (options_.fault) {
    if (auto fault = options_.fault(request)) return *fault;
  }
  const std::string path = request.path.substr(0, request.path.find('?'));
  if (path == "/token") return give_token(request);
  if (auto refusal = refuse(request)) return *refusal;
  if (path == "/v2/") return {200, {}, "{}"};
  return state_.with([&](State& state) -> FakeResponse {
    for (const std::string word : {"/blobs/", "/manifests/", "/referrers/"}) {
      const std::size_t at = path.find(word);
      if (!path.starts_with("/v2/") || at == std::string::npos) continue;
      const std::string repository = path.substr(4, at - 4), rest = path.substr(at + word.size());
      if (word == "/manifests/") return answer_manifests(state, request, repository, rest);
      if (word == "/referrers/") return answer_referrers(state, repository, rest);
      if (rest.starts_with("uploads/")) {
        return answer_uploads(state, request, repository, rest.substr(8));
      }
      return answer_blobs(state, request, repository, rest);
    }
    return {404};
  });
}

FakeResponse FakeRegistry::answer_blobs(State& state, const FakeRequest& request,
                                        const std::string& repository, const std::string& rest) {
  const auto& blobs = state.blobs[repository];
  const auto found = blobs.find(rest);
  if (found == blobs.end()) return {404};
  return http::testing::serve_bytes(request, found->second, "\"" + rest + "\"");
}

FakeResponse FakeRegistry::answer_uploads(State& state, const FakeRequest& request,
                                          const std::string& repository, const std::string& rest) {
  if (request.method == "POST") {
    const std::string mount = parameter(request.path, "mount");
    const auto& source = state.blobs[parameter(request.path, "from")];
    const auto blob = source.find(mount);
    if (!mount.empty() && blob != source.end() && options_.mounts == FakeOptions::Mounts::Taken) {
      state.blobs[repository][mount] = blob->second;
      return {201};
    }
    const std::string id = fmt::format("u{}", ++state.made);
    state.uploads[id] = "";
    FakeResponse response{
        202, {fmt::format("Location: /v2/{}/blobs/uploads/{}?state=0", repository, id)}};
    if (options_.least_chunk_bytes > 0) {
      response.headers.push_back(
          fmt::format("OCI-Chunk-Min-Length: {}", options_.least_chunk_bytes));
    }
    return response;
  }
  const auto upload = state.uploads.find(rest);
  if (upload == state.uploads.end()) return {404};
  if (options_.uploads == FakeOptions::Uploads::AtState &&
      parameter(request.path, "state") != std::to_string(upload->second.size())) {
    return {404};
  }
  const auto location = [&] {
    return fmt::format("Location: {}/v2/{}/blobs/uploads/{}?state={}", server_->url(), repository,
                       rest, upload->second.size());
  };
  const auto range = [&] {
    return fmt::format("Range: 0-{}", upload->second.empty() ? 0 : upload->second.size() - 1);
  };
  if (request.method == "GET") return {204, {location(), range()}};
  const std::string wanted = header_of(request, "content-range");
  if (!wanted.empty() &&
      wanted.substr(0, wanted.find('-')) != std::to_string(upload->second.size())) {
    return {416, {location(), range()}};
  }
  const auto kept =
      options_.keep && request.method == "PATCH" ? options_.keep(request) : std::nullopt;
  upload->second += request.body.substr(0, kept.value_or(request.body.size()));
  if (request.method == "PATCH") return {202, {location(), range()}};
  const std::string digest = parameter(request.path, "digest");
  if (sha256(upload->second).text() != digest) return {400, {}, "digest invalid"};
  state.blobs[repository][digest] = upload->second;
  state.uploads.erase(upload);
  return {201, {"Docker-Content-Digest: " + digest}};
}

FakeResponse FakeRegistry::answer_manifests(State& state, const FakeRequest& request,
                                            const std::string& repository,
                                            const std::string& reference) {
  auto& manifests = state.manifests[repository];
  if (request.method == "PUT") {
    const std::string digest = sha256(request.body).text();
    const Manifest manifest{request.body, header_of(request, "content-type")};
    manifests[reference] = manifests[digest] = manifest;
    FakeResponse response{201, {"Docker-Content-Digest: " + digest}};
    const auto parsed = oci::parse_manifest(request.body);
    if (options_.referrers == FakeOptions::Referrers::Kept && parsed.ok() && parsed->subject) {
      response.headers.push_back("OCI-Subject: " + parsed->subject->digest.text());
    }
    return response;
  }
  const auto found = manifests.find(reference);
  if (found == manifests.end()) return {404};
  return {200,
          {"Content-Type: " + found->second.media_type,
           "Docker-Content-Digest: " + sha256(found->second.text).text()},
          found->second.text};
}

FakeResponse FakeRegistry::answer_referrers(State& state, const std::string& repository,
                                            const std::string& subject) {
  if (options_.referrers == FakeOptions::Referrers::Unknown) return {404};
  oci::Index index;
  for (const auto& [reference, manifest] : state.manifests[repository]) {
    const auto parsed = oci::parse_manifest(manifest.text);
    const bool refers = parsed.ok() && parsed->subject && parsed->subject->digest.text() == subject;
    if (!refers || !reference.starts_with("sha256:")) continue;
    oci::Descriptor entry = oci::describe(manifest.media_type, manifest.text);
    entry.artifact_type = parsed->artifact_type;
    index.manifests.push_back(entry);
  }
  return {200, {fmt::format("Content-Type: {}", oci::kMediaTypeIndex)}, oci::encode_index(index)};
}

}  // namespace slipway::registry::testing
