/// A wheel's zip file, open for reading.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "layer/zip_directory.h"

namespace slipway::layer {

class ZipArchive {
 public:
  /// Reads and checks the directory (see zip_directory.h). Fails with Corrupt, NotFound or Io;
  /// messages name the file and the member.
  static Result<ZipArchive> open(const std::string& path);

  /// In the order in which they lie in the file.
  const std::vector<ZipMember>& members() const { return members_; }
  const ZipMember* find_member(std::string_view name) const;
  /// One member's contents, by itself: for the few that say how the others are installed. Checks
  /// its local header and CRC. Corrupt if it claims more than 64 MiB.
  Result<std::string> read_member(const ZipMember& member) const;

  /// Its first bytes, at most 64; nothing but its local header is checked.
  Result<std::string> read_start(const ZipMember& member, std::size_t bytes) const;

  int fd() const { return fd_.get(); }
  std::uint64_t file_bytes() const { return file_bytes_; }
  std::uint64_t directory_offset() const { return end_.directory_offset; }
  const std::string& name() const { return name_; }  ///< of the file, for messages

  /// "wheel `six-1.17-py3-none-any.whl` " before the message of a Corrupt error.
  Error blame(Error error) const;
  Error blame(Error error, const ZipMember& member) const;

 private:
  ZipArchive() = default;
  Result<std::uint64_t> find_data(const ZipMember& member) const;

  UniqueFd fd_;
  std::uint64_t file_bytes_ = 0;
  std::string name_;
  ZipEnd end_;
  std::vector<ZipMember> members_;
};

}  // namespace slipway::layer
