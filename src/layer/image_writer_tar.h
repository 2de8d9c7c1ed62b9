/// The plain tar around an image: folders and files with short names, in one form. Private to
/// image_writer.
///
/// ustar (POSIX.1-1988), ids and time 0, modes 0755 and 0644. A size that 11 octal digits cannot
/// hold is written in base 256, as GNU tar does and every reader takes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/io.h"

namespace slipway::layer {

class ArchiveTar {
 public:
  /// Borrows `out`. Names are at most 100 characters: SLIPWAY_CHECK.
  explicit ArchiveTar(Sink& out) : out_(out) {}

  Result<void> add_folder(std::string_view path);
  /// To be followed by writes of exactly `size_bytes` to `out`, then `end_file`.
  Result<void> begin_file(std::string_view path, std::uint64_t size_bytes);
  Result<void> end_file();
  /// The two empty blocks.
  Result<void> finish();

 private:
  Result<void> write_header(std::string_view path, char type, unsigned mode,
                            std::uint64_t size_bytes);
  Sink& out_;
  std::uint64_t padding_bytes_ = 0;
};

}  // namespace slipway::layer
