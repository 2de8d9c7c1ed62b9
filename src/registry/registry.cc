#include "registry/registry.h"

#include <algorithm>
#include <type_traits>

#include "http/download.h"

namespace slipway::registry {
namespace {

constexpr std::string_view kOldManifest = "application/vnd.docker.distribution.manifest.v1";

Scopes pull_scope(const std::string& repository) {
  return {fmt::format("repository:{}:pull", repository)};
}

Scopes push_scope(const std::string& repository) {
  return {fmt::format("repository:{}:pull,push", repository)};
}

std::string manifest_path(const std::string& repository, const std::string& reference) {
  return fmt::format("{}/manifests/{}", repository, reference);
}

std::string blob_path(const std::string& repository, const Digest& digest) {
  return fmt::format("{}/blobs/{}", repository, digest.text());
}

/// distribution-spec 1.1, "Referrers Tag Schema".
std::string referrers_tag(const Digest& subject) { return "sha256-" + subject.hex(); }

std::string accept_manifests() {
  return fmt::format("Accept: {}, {}, {}, {}", oci::kMediaTypeManifest, oci::kMediaTypeIndex,
                     oci::kDockerManifest, oci::kDockerIndex);
}

Error unexpected(const http::Response& response, const std::string& what, const Session& session) {
  if (response.status == 404) {
    return make_error(ErrorKind::NotFound, "`{}` has no {}", session.host(), what);
  }
  if (response.status == 403) {
    return make_error(ErrorKind::Denied, "`{}` refuses access to {}", session.host(), what);
  }
  const bool is_trouble = http::Sender::is_worth_retrying(response.status);
  return make_error(is_trouble ? ErrorKind::Unavailable : ErrorKind::Unsupported,
                    "`{}` answers {} for {}", session.host(), response.status, what);
}

/// Without its parameters.
std::string media_type_of(const http::Response& response) {
  const std::string_view type = response.find_header("content-type").value_or("");
  return std::string(type.substr(0, type.find_first_of("; ")));
}

Result<void> check_digest(const http::Response& response, const Digest& digest,
                          const Session& session) {
  const auto said = response.find_header("docker-content-digest");
  if (!said || *said == digest.text()) return {};
  return make_error(ErrorKind::Corrupt, "`{}` says `{}` of bytes that hash to `{}`", session.host(),
                    *said, digest.text());
}

/// For what does not go through Session::send: `fetch` gets the headers that say who we are, and
/// others once where these are refused.
template <typename Fetch>
std::invoke_result_t<Fetch, std::vector<std::string>> fetch_as_us(Session& session,
                                                                  const std::string& repository,
                                                                  const oci::Descriptor& blob,
                                                                  const CancelToken& cancel,
                                                                  const Fetch& fetch) {
  for (const Session::Renew renew : {Session::Renew::No, Session::Renew::Yes}) {
    std::vector<std::string> headers;
    if (auto header = TRY(session.authorization(pull_scope(repository), renew, cancel))) {
      headers.push_back(std::move(*header));
    }
    auto fetched = fetch(std::move(headers));
    if (fetched.ok() || fetched.error().kind != ErrorKind::Denied) return fetched;
  }
  return make_error(ErrorKind::Denied, "`{}` refuses access to blob `{}` of `{}`", session.host(),
                    blob.digest.text(), repository);
}

}  // namespace

Result<Registry> Registry::open(const Host& host, http::ClientOptions options,
                                const CancelToken& cancel) {
  return Registry(TRY(Session::open(host, std::move(options), cancel)));
}

Result<FetchedManifest> Registry::fetch_manifest(const std::string& repository,
                                                 const std::string& reference,
                                                 const CancelToken& cancel) {
  http::Message message{
      "GET", session_.url(manifest_path(repository, reference)), {accept_manifests()}};
  message.most_answer_bytes = oci::kMostManifestBytes;
  http::Response response = TRY(session_.send(message, pull_scope(repository), cancel));
  const std::string what = fmt::format("manifest `{}` of `{}`", reference, repository);
  if (response.status != 200) return unexpected(response, what, session_);
  FetchedManifest manifest{media_type_of(response), std::move(response.body), {}};
  manifest.digest = sha256(manifest.text);
  if (const auto wanted = parse_digest(reference); wanted.ok() && *wanted != manifest.digest) {
    return make_error(ErrorKind::Corrupt, "`{}` gives other bytes for {}", session_.host(), what);
  }
  TRY(check_digest(response, manifest.digest, session_));
  if (manifest.media_type.starts_with(kOldManifest)) {
    return make_error(ErrorKind::Unsupported, "{} at `{}` is in Docker's format of before 2016",
                      what, session_.host())
        .hint("push it again with a tool of today");
  }
  return manifest;
}

Result<std::optional<Digest>> Registry::find_manifest(const std::string& repository,
                                                      const std::string& reference,
                                                      const CancelToken& cancel) {
  const http::Message message{
      "HEAD", session_.url(manifest_path(repository, reference)), {accept_manifests()}};
  const http::Response response = TRY(session_.send(message, pull_scope(repository), cancel));
  if (response.status == 404) return std::optional<Digest>();
  const std::string what = fmt::format("manifest `{}` of `{}`", reference, repository);
  if (response.status != 200) return unexpected(response, what, session_);
  const auto digest = parse_digest(response.find_header("docker-content-digest").value_or(""));
  if (digest.ok()) return std::optional(*digest);
  return std::optional(TRY(fetch_manifest(repository, reference, cancel)).digest);
}

Result<std::string> Registry::fetch_small(const std::string& repository,
                                          const oci::Descriptor& blob, std::uint64_t most_bytes,
                                          const CancelToken& cancel) {
  if (blob.size_bytes > most_bytes) {
    return make_error(ErrorKind::Corrupt, "blob `{}` has {} bytes, which is more than any real one",
                      blob.digest.text(), blob.size_bytes);
  }
  http::Message message{"GET", session_.url(blob_path(repository, blob.digest))};
  message.most_answer_bytes = blob.size_bytes;
  http::Response response = TRY(session_.send(message, pull_scope(repository), cancel));
  const std::string what = fmt::format("blob `{}` of `{}`", blob.digest.text(), repository);
  if (response.status != 200) return unexpected(response, what, session_);
  if (response.body.size() != blob.size_bytes || sha256(response.body) != blob.digest) {
    return make_error(ErrorKind::Corrupt, "`{}` gives other bytes for {}", session_.host(), what);
  }
  return std::move(response.body);
}

Result<void> Registry::fetch_blob(const std::string& repository, const oci::Descriptor& blob,
                                  const std::string& path, const std::string& label,
                                  Reporter& reporter, const CancelToken& cancel) {
  return fetch_as_us(session_, repository, blob, cancel, [&](std::vector<std::string> headers) {
    http::Download download{session_.url(blob_path(repository, blob.digest)), path, blob.digest,
                            blob.size_bytes, label};
    download.headers = std::move(headers);
    download.lasts = false;
    return http::download_all(session_.client(), {&download, 1}, 1, reporter, cancel);
  });
}

Result<std::string> Registry::fetch_range(const std::string& repository,
                                          const oci::Descriptor& blob, std::uint64_t first,
                                          std::uint64_t bytes, const CancelToken& cancel) {
  http::RangeBody got =
      TRY(fetch_as_us(session_, repository, blob, cancel, [&](std::vector<std::string> headers) {
        http::Request request{session_.url(blob_path(repository, blob.digest))};
        request.headers = std::move(headers);
        request.cancel = {cancel};
        return session_.client().get_range(request, first, first + bytes - 1);
      }));
  if (got.first != first || got.bytes.size() != bytes || got.total_bytes != blob.size_bytes) {
    return make_error(ErrorKind::Corrupt, "`{}` gives another range of blob `{}` of `{}`",
                      session_.host(), blob.digest.text(), repository);
  }
  return std::move(got.bytes);
}

Result<bool> Registry::has_blob(const std::string& repository, const Digest& digest,
                                const CancelToken& cancel) {
  const http::Message message{"HEAD", session_.url(blob_path(repository, digest))};
  const http::Response response = TRY(session_.send(message, push_scope(repository), cancel));
  if (response.status == 404) return false;
  if (response.status == 200) return true;
  return unexpected(response, fmt::format("blob `{}` of `{}`", digest.text(), repository),
                    session_);
}

Result<Sent> Registry::push_blob(const std::string& repository, const Blob& blob,
                                 std::span<const std::string> mount_from, const OnSent& on_sent,
                                 const CancelToken& cancel) {
  if (TRY(has_blob(repository, blob.digest, cancel))) return Sent::WasThere;
  return send_blob(repository, blob, mount_from, on_sent, cancel);
}

Result<Sent> Registry::send_blob(const std::string& repository, const Blob& blob,
                                 std::span<const std::string> mount_from, const OnSent& on_sent,
                                 const CancelToken& cancel) {
  std::string location;
  Scopes scopes = push_scope(repository);
  for (const std::string& from : mount_from) {
    Scopes both = scopes;
    both.push_back(pull_scope(from).front());
    const http::Message message{
        "POST", session_.url(fmt::format("{}/blobs/uploads/?mount={}&from={}", repository,
                                         blob.digest.text(), from))};
    const auto response = session_.send(message, both, cancel);
    if (!response.ok() && response.error().kind == ErrorKind::Denied) continue;
    if (!response.ok()) return response.error();
    if (response->status == 201) return Sent::Mounted;
    if (response->status != 202) continue;
    // It has opened an upload in place of a mount.
    if (const auto place = response->find_header("location"))
      location = TRY(session_.resolve(*place));
    break;
  }
  TRY(Upload(session_, repository, scopes, blob, location, upload_rules_, on_sent, cancel).run());
  return Sent::Sent;
}

Result<http::Response> Registry::put(const std::string& repository, const std::string& reference,
                                     std::string_view media_type, const std::string& text,
                                     const CancelToken& cancel) {
  const http::Message message{"PUT",
                              session_.url(manifest_path(repository, reference)),
                              {fmt::format("Content-Type: {}", media_type)},
                              text};
  http::Response response = TRY(session_.send(message, push_scope(repository), cancel));
  const std::string what = fmt::format("manifest `{}` of `{}`", reference, repository);
  if (response.status != 201) {
    Error error = unexpected(response, what, session_);
    if (!response.body.empty()) error.because.push_back(response.body.substr(0, 300));
    return error;
  }
  TRY(check_digest(response, sha256(text), session_));
  return response;
}

Result<void> Registry::push_manifest(const std::string& repository, const std::string& reference,
                                     std::string_view media_type, const std::string& text,
                                     const CancelToken& cancel) {
  TRY(put(repository, reference, media_type, text, cancel));
  const auto there = TRY(find_manifest(repository, reference, cancel));
  if (there == sha256(text)) return {};
  return make_error(ErrorKind::Corrupt, "`{}` keeps another manifest `{}` of `{}` than was sent",
                    session_.host(), reference, repository);
}

Result<oci::Index> Registry::fetch_referrers_tag(const std::string& repository,
                                                 const Digest& subject, const CancelToken& cancel) {
  const auto manifest = fetch_manifest(repository, referrers_tag(subject), cancel);
  if (!manifest.ok() && manifest.error().kind == ErrorKind::NotFound) return oci::Index();
  if (!manifest.ok()) return manifest.error();
  return oci::parse_index(manifest->text);
}

Result<std::vector<oci::Descriptor>> Registry::list_referrers(const std::string& repository,
                                                              const Digest& subject,
                                                              std::string_view artifact_type,
                                                              const CancelToken& cancel) {
  const http::Message message{
      "GET", session_.url(fmt::format("{}/referrers/{}", repository, subject.text()))};
  const http::Response response = TRY(session_.send(message, pull_scope(repository), cancel));
  oci::Index index;
  if (response.status == 200) {
    index = TRY(oci::parse_index(response.body));
  } else if (response.status == 404 || response.status == 405) {
    index = TRY(fetch_referrers_tag(repository, subject, cancel));
  } else {
    return unexpected(response, fmt::format("referrers of `{}`", subject.text()), session_);
  }
  std::erase_if(index.manifests, [&](const oci::Descriptor& one) {
    return !artifact_type.empty() && one.artifact_type != artifact_type;
  });
  std::ranges::sort(index.manifests, {}, &oci::Descriptor::digest);
  return std::move(index.manifests);
}

Result<void> Registry::push_referrer(const std::string& repository, const std::string& text,
                                     const CancelToken& cancel) {
  const oci::Manifest manifest = TRY(oci::parse_manifest(text));
  SLIPWAY_CHECK(manifest.subject.has_value());
  const Digest subject = manifest.subject->digest;
  const http::Response response =
      TRY(put(repository, sha256(text).text(), manifest.media_type, text, cancel));
  if (response.find_header("oci-subject") == subject.text()) return {};
  oci::Descriptor entry = oci::describe(manifest.media_type, text);
  entry.artifact_type =
      manifest.artifact_type.empty() ? manifest.config.media_type : manifest.artifact_type;
  entry.annotations = manifest.annotations;
  oci::Index index = TRY(fetch_referrers_tag(repository, subject, cancel));
  std::erase_if(index.manifests,
                [&](const oci::Descriptor& one) { return one.digest == entry.digest; });
  index.manifests.push_back(std::move(entry));
  return push_manifest(repository, referrers_tag(subject), oci::kMediaTypeIndex,
                       oci::encode_index(index), cancel);
}

}  // namespace slipway::registry
