/// Where a large upload stands, on disk, so that a push that was killed is gone on with.
///
///   <key>.json   {"version": 1, "registry", "repository", "digest", "location", "offset", "least"}
///   <key>.lock   held (flock(2)) by the push whose upload it is
///
/// `key` is a hash of registry, repository and digest. A Location may carry a token (what is in it
/// is the registry's own business), so only the user may read a record. A record is a hint: what
/// cannot be read or written costs bytes, never the push.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/digest.h"
#include "base/file.h"
#include "base/utc_time.h"

namespace slipway::registry {

struct UploadTarget {
  std::string registry;  ///< `host` or `host:port`
  std::string repository;
  Digest digest;  ///< of the blob
};

struct OpenUpload {
  std::string location;
  std::uint64_t offset_bytes = 0;       ///< for people: where to go on is the registry's to say
  std::uint64_t least_chunk_bytes = 0;  ///< `OCI-Chunk-Min-Length`; 0 where it said nothing
  bool operator==(const OpenUpload&) const = default;
};

/// The record of one upload, ours until the end of the object's life.
class UploadRecord {
 public:
  /// Nothing where another push holds it, since two cannot write one upload, or where `folder`
  /// cannot be written.
  static std::unique_ptr<UploadRecord> take(const std::string& folder, UploadTarget target);
  UploadRecord(const UploadRecord&) = delete;
  UploadRecord& operator=(const UploadRecord&) = delete;
  ~UploadRecord();

  /// What was noted last.
  std::optional<OpenUpload> find() const;
  void note(const OpenUpload& upload);
  void forget();  ///< it stays ours

 private:
  UploadRecord(std::string path, UploadTarget target, FileLock lock)
      : path_(std::move(path)), target_(std::move(target)), lock_(std::move(lock)) {}

  std::string path_;  ///< without the ending
  UploadTarget target_;
  FileLock lock_;
};

/// Removes what was last written before `oldest` and is nobody's now: a registry throws away an
/// upload, too, that nobody finishes.
void sweep_upload_records(const std::string& folder, UtcTime oldest);

}  // namespace slipway::registry
