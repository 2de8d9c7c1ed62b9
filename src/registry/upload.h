/// A blob on its way to a registry (distribution-spec 1.1, "Pushing blobs"). Private to `registry`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "oci/manifest.h"
#include "registry/blob_stream.h"
#include "registry/session.h"

namespace slipway::registry {

struct Blob {
  Digest digest;
  std::uint64_t size_bytes = 0;
  WriteBlob write;  ///< may be called again, after trouble on the way
};

/// Told how many bytes went out. From the thread that sends.
using OnSent = std::function<void(std::uint64_t bytes)>;

/// One upload: small blobs in one request, others in chunks; after trouble the registry is asked
/// how far it came, and the rest goes from there, up to a number of attempts without progress.
class Upload {
 public:
  /// `location`: of an upload that is open already, or empty.
  Upload(Session& session, std::string repository, Scopes scopes, const Blob& blob,
         std::string location, OnSent on_sent, const CancelToken& cancel);

  Result<void> run();

 private:
  enum class Step { Done, Again };
  Result<Step> attempt();
  Result<void> open();
  Result<bool> is_there();
  Result<Step> send_whole();
  Result<Step> send_chunk();
  Result<Step> finish();
  Result<Step> after(const http::Response& response, std::string_view doing);
  Result<Step> after(Error error);
  Result<void> ask_how_far();
  Result<void> take_location(const http::Response& response);
  Source& stream();
  std::string finishing_url() const;

  Session& session_;
  std::string repository_;
  Scopes scopes_;
  const Blob& blob_;
  std::string location_;
  OnSent on_sent_;
  const CancelToken& cancel_;
  std::unique_ptr<BlobStream> stream_;
  std::uint64_t stream_at_ = 0;   ///< how much of the blob was read from it
  std::uint64_t sent_bytes_ = 0;  ///< that the registry has
  std::uint64_t chunk_bytes_, least_chunk_bytes_ = 0;
  std::optional<http::Response> trouble_;  ///< whose Retry-After counts
  std::optional<Error> failure_;           ///< the last one
  bool is_unsure_ = false;                 ///< how much the registry has
  bool was_open_ = false;
};

}  // namespace slipway::registry
