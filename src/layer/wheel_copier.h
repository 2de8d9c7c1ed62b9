/// Takes the members of one wheel, in the order in which they lie, into a layer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "layer/inflate.h"
#include "layer/layer_stream.h"
#include "layer/tree_writer.h"
#include "layer/wheel_layout.h"
#include "layer/wheel_stream.h"
#include "layer/zip_archive.h"

namespace slipway::layer {

/// Deflate streams of at least so many bytes are copied; smaller members are encoded anew, together
/// with their neighbours' headers. Part of the layout. Why so many:
/// see docs/decisions/0003-layout-1.md.
inline constexpr std::uint64_t kCopyBytes = 512;

class WheelCopier {
 public:
  /// Borrows all. `tree` may be null. Contents are inflated where `contents` says so, and where
  /// RECORD does not tell their sha256.
  WheelCopier(LayerStream& layer, TreeWriter* tree, HashTar contents)
      : layer_(layer), tree_(tree), needs_plain_(contents == HashTar::Yes) {}

  /// `files[i]` is where member i of the archive goes, null where it goes nowhere. Every member's
  /// local header, sizes and (where inflated) CRC and hash in RECORD are checked. Returns the
  /// sha256 of the wheel. Fails with Corrupt, naming wheel and member.
  Result<Digest> copy(const ZipArchive& archive, const std::vector<const InstalledFile*>& files,
                      const std::function<Result<void>(std::size_t)>& on_read);

  /// A file that is written anew.
  Result<void> add_text(const InstalledFile& file);

 private:
  Result<void> copy_member(WheelStream& wheel, const ZipMember& member, const InstalledFile* file);
  Result<void> copy_whole(WheelStream& wheel, const ZipMember& member, const InstalledFile& file);
  Result<void> copy_large(WheelStream& wheel, const ZipMember& member, const InstalledFile& file);
  Result<void> copy_stored(WheelStream& wheel, const ZipMember& member);
  Result<void> copy_deflated(WheelStream& wheel, const ZipMember& member, bool hashes_aside);
  Result<void> copy_unseen(WheelStream& wheel, const ZipMember& member);
  Result<void> copy_raw(WheelStream& wheel, Bytes raw);
  Result<void> begin_file(const InstalledFile& file, std::uint64_t size_bytes);
  Result<std::span<std::byte>> buffer();
  Result<void> submit(std::size_t count);

  LayerStream& layer_;
  TreeWriter* tree_;
  bool needs_plain_;
  Inflater inflater_;
  std::vector<std::byte> scratch_;
};

}  // namespace slipway::layer
