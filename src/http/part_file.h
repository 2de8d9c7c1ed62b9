/// What has arrived of a download: on disk and in the hash, in step. Internal to http.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "base/unique_fd.h"

namespace slipway::http {

class PartFile {
 public:
  /// Opens or makes `path`. What it holds counts only after `take_over`. One that `lasts` is
  /// written to the disk as it comes.
  static Result<PartFile> open(const std::string& path, bool lasts);

  /// Hashes what an earlier process left.
  Result<void> take_over();
  /// Throws away what is there.
  Result<void> restart();
  /// Fails with Io; says so plainly when the disk is full.
  Result<void> append(Bytes bytes);
  std::uint64_t size_bytes() const { return size_bytes_; }

  /// The hash of all bytes. Once; `restart` makes it usable again.
  Digest finish_hash() { return hash_.finish(); }
  /// fsync(2) where it lasts, then rename(2) to `path`.
  Result<void> publish(const std::string& path);

 private:
  PartFile(UniqueFd fd, std::string path, bool lasts)
      : fd_(std::move(fd)), path_(std::move(path)), lasts_(lasts) {}

  UniqueFd fd_;
  std::string path_;
  bool lasts_;
  Sha256 hash_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t flushed_bytes_ = 0;
};

}  // namespace slipway::http
