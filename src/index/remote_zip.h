/// One member of a zip that is far away, by reading only the end, the directory and the member.
///
/// Format: PKWARE APPNOTE 6.3.x, with zip64. Every number in the file is distrusted: an answer is
/// whole and has the right CRC-32, or is an error.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "http/client.h"

namespace slipway::index {

/// Where a zip's bytes come from.
class RangeReader {
 public:
  virtual ~RangeReader() = default;
  /// The last `count` bytes, or all when there are fewer.
  virtual Result<http::RangeBody> read_tail(std::uint64_t count) = 0;
  /// Exactly these bytes.
  virtual Result<std::string> read_range(std::uint64_t first, std::uint64_t count) = 0;
};

/// Bytes asked for at first: enough for the whole directory of most wheels.
inline constexpr std::uint64_t kZipTailBytes = 32U << 10U;

/// The METADATA of a wheel: its one member `<name>.dist-info/METADATA`. Two or three reads. Fails
/// with Corrupt for a broken zip, none or several such members; Unsupported for another compression
/// than deflate; and as the reader does.
Result<std::string> read_wheel_metadata(RangeReader& reader);

/// The same for its RECORD.
Result<std::string> read_wheel_record(RangeReader& reader);

/// A zip on this machine.
Result<std::string> read_wheel_metadata_of_file(const std::string& path);

}  // namespace slipway::index
