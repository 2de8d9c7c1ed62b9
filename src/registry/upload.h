/// A blob on its way to a registry (distribution-spec 1.1, "Pushing blobs"). Private to `registry`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "oci/manifest.h"
#include "registry/blob_stream.h"
#include "registry/session.h"
#include "registry/upload_record.h"

namespace slipway::registry {

struct Blob {
  Digest digest;
  std::uint64_t size_bytes = 0;
  WriteBlob write;  ///< may be called again, after trouble on the way
};

/// Told how many bytes went out. From the thread that sends.
using OnSent = std::function<void(std::uint64_t bytes)>;

/// How large blobs go up.
struct UploadRules {
  /// Where uploads are remembered (registry/upload_record.h); empty: nowhere.
  std::string records_folder{};
  /// Larger blobs go up in chunks of at most so many bytes, and are remembered. With 64 MiB a blob
  /// of 700 MB takes no longer to a registry on the same machine than in one piece.
  std::uint64_t chunk_bytes = 64 << 20;
  /// Once cancelled, a chunk may go on for so long: some registries can go on only where a chunk
  /// has ended.
  std::chrono::seconds grace{3};
};

/// One upload: small blobs in one request, others by PATCH, large ones in chunks. After trouble the
/// registry is asked how far it came, and the rest goes from there, up to a number of attempts
/// without progress. A large one that a push before this one left unfinished is gone on with where
/// the registry still has it; whatever is not as expected then begins anew, quietly. A registry
/// that refuses chunks gets the blob in one PUT.
class Upload {
 public:
  /// `location`: of an upload that is open already, or empty. Borrows what is given by reference.
  Upload(Session& session, std::string repository, Scopes scopes, const Blob& blob,
         std::string location, const UploadRules& rules, OnSent on_sent, const CancelToken& cancel);

  Result<void> run();

 private:
  enum class Step { Done, Again };
  enum class Manner { Parts, Whole };  ///< Whole: all in one PUT, or anew
  Result<void> resume();
  Result<Step> attempt();
  Result<void> open();
  Result<bool> is_there();
  Result<Step> send_whole();
  Result<Step> send_chunk();
  Result<Step> finish();
  Result<Step> after(const http::Response& response, std::string_view doing);
  Result<Step> after(Error error);
  bool is_refusal(int status, std::string_view doing) const;
  void begin_anew();
  Step fall_back();
  void choose_chunk(std::uint64_t sent_bytes, std::chrono::steady_clock::duration took);
  Result<void> ask_how_far();
  Result<void> take_location(const http::Response& response);
  Source& stream();
  std::string finishing_url() const;

  Session& session_;
  std::string repository_;
  Scopes scopes_;
  const Blob& blob_;
  std::string location_;
  const UploadRules& rules_;
  OnSent on_sent_;
  const CancelToken& cancel_;
  std::unique_ptr<UploadRecord> record_;  ///< of a large blob
  std::unique_ptr<BlobStream> stream_;
  std::uint64_t stream_at_ = 0;   ///< how much of the blob was read from it
  std::uint64_t sent_bytes_ = 0;  ///< that the registry has
  std::uint64_t chunk_bytes_, most_chunk_bytes_, least_chunk_bytes_ = 0;
  Manner manner_ = Manner::Parts;
  int losses_ = 0;                         ///< 404 and 416 without progress
  int chunks_ = 0;                         ///< that the registry took for this upload
  std::optional<http::Response> trouble_;  ///< whose Retry-After counts
  std::optional<Error> failure_;           ///< the last one
  bool is_unsure_ = false;                 ///< how much the registry has
  bool was_open_ = false;
  bool is_resumed_ = false;  ///< begun by another push
};

}  // namespace slipway::registry
