/// A client of OCI registries: distribution-spec 1.1, and Docker's registry that it grew out of.
///
/// What comes is checked against its digest and size, what goes against the registry's answer. All
/// calls block, are safe for several threads, try again after trouble on the network, 429 and 5xx,
/// and stop within a second of `cancel`, or the grace of the upload rules. Failures: NotFound,
/// Denied (with who has to log in where), Unavailable, Corrupt, Unsupported.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/reporter.h"
#include "oci/manifest.h"
#include "registry/session.h"
#include "registry/upload.h"

namespace slipway::registry {

struct FetchedManifest {
  std::string media_type;
  std::string text;
  Digest digest;
};

enum class Sent { WasThere, Mounted, Sent };

class Registry {
 public:
  static Result<Registry> open(const Host& host, http::ClientOptions options,
                               const CancelToken& cancel);
  /// Before any blob is sent.
  void set_upload_rules(UploadRules rules) { upload_rules_ = std::move(rules); }

  /// `reference` is a tag or a digest.
  Result<FetchedManifest> fetch_manifest(const std::string& repository,
                                         const std::string& reference, const CancelToken& cancel);
  Result<std::optional<Digest>> find_manifest(const std::string& repository,
                                              const std::string& reference,
                                              const CancelToken& cancel);
  /// A small blob (a configuration), into memory.
  Result<std::string> fetch_small(const std::string& repository, const oci::Descriptor& blob,
                                  std::uint64_t most_bytes, const CancelToken& cancel);
  /// A blob into the file `path`, by way of `<path>.part`, from where it goes on after a break
  /// (http/download.h). Its size and digest are right; it need not outlive a power cut, so whoever
  /// keeps it syncs it (Store::adopt_blob does).
  Result<void> fetch_blob(const std::string& repository, const oci::Descriptor& blob,
                          const std::string& path, const std::string& label, Reporter& reporter,
                          const CancelToken& cancel);

  /// `bytes` of a blob from `first` on, into memory, not held against any digest. Fails with
  /// Unsupported where the registry ignores ranges.
  Result<std::string> fetch_range(const std::string& repository, const oci::Descriptor& blob,
                                  std::uint64_t first, std::uint64_t bytes,
                                  const CancelToken& cancel);

  Result<bool> has_blob(const std::string& repository, const Digest& digest,
                        const CancelToken& cancel);
  /// Sends the blob unless it is there, or `mount_from` (repositories of this registry) has it.
  Result<Sent> push_blob(const std::string& repository, const Blob& blob,
                         std::span<const std::string> mount_from, const OnSent& on_sent,
                         const CancelToken& cancel);
  /// The same for a blob that is known to be missing.
  Result<Sent> send_blob(const std::string& repository, const Blob& blob,
                         std::span<const std::string> mount_from, const OnSent& on_sent,
                         const CancelToken& cancel);
  /// Under a tag, or under its digest.
  Result<void> push_manifest(const std::string& repository, const std::string& reference,
                             std::string_view media_type, const std::string& text,
                             const CancelToken& cancel);

  /// What refers to `subject` (signatures, SBOMs), of one type or all: by the referrers API, or
  /// where the registry has none, by the tag that takes its place. Sorted by digest.
  Result<std::vector<oci::Descriptor>> list_referrers(const std::string& repository,
                                                      const Digest& subject,
                                                      std::string_view artifact_type,
                                                      const CancelToken& cancel);
  /// A manifest with a `subject`, under its digest; and, where the registry keeps no referrers
  /// itself, in the list under the tag.
  Result<void> push_referrer(const std::string& repository, const std::string& manifest,
                             const CancelToken& cancel);

  Session& session() { return session_; }

 private:
  explicit Registry(Session session) : session_(std::move(session)) {}
  Result<http::Response> put(const std::string& repository, const std::string& reference,
                             std::string_view media_type, const std::string& text,
                             const CancelToken& cancel);
  Result<oci::Index> fetch_referrers_tag(const std::string& repository, const Digest& subject,
                                         const CancelToken& cancel);

  Session session_;
  UploadRules upload_rules_;
};

}  // namespace slipway::registry
