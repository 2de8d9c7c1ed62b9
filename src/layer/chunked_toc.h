/// zstd:chunked (containers/storage's `pkg/chunked`, which Podman and CRI-O use): a layer of zstd
/// frames whose table of contents tells in which of them each file lies.
///
///   frames ...                         the tar, each chunk of a file in a frame of its own
///   skippable frame: table             JSON, as one zstd frame
///   skippable frame: tar-split         what of the tar are not contents of files, likewise
///   skippable frame: footer, 64 bytes  where the two are; ends in `GNUlInUx`
///
/// Readers of plain zstd pass over skippable frames (RFC 8878, 3.1.2). The table is eStargz's
/// (version 1), with `endOffset`. tar-split is vbatts/tar-split's format: with it a reader that
/// took single files makes the tar anew, so as to hold it against the diff_id; Podman takes no
/// layer in parts that lacks it. Nobody reads the footer: annotations of the layer's descriptor say
/// the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include "layer/chunked_entry.h"
#include "layer/zstd_sink.h"
#include "oci/json_writer.h"
#include "oci/manifest.h"

namespace slipway::layer {

inline constexpr std::string_view kChunkedPrefix = "io.github.containers.zstd-chunked.";
inline constexpr std::string_view kChunkedTocDigest =
    "io.github.containers.zstd-chunked.manifest-checksum";
inline constexpr std::string_view kChunkedTocPosition =
    "io.github.containers.zstd-chunked.manifest-position";
inline constexpr std::string_view kChunkedTarSplitPosition =
    "io.github.containers.zstd-chunked.tarsplit-position";

inline constexpr std::size_t kChunkedFooterBytes = 64;

/// A part of a file: the frame from `begin` up to `end` of the blob.
struct Chunk {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t size_bytes = 0;
  Digest digest;
};

/// Both documents, which are compressed while they grow.
class ChunkedToc {
 public:
  ChunkedToc();

  /// Bytes of the tar that are no file's contents. All headers of an entry, with the padding in
  /// front of them, are one segment.
  Result<void> add_segment(Bytes bytes);
  /// The entry whose headers were the last segment. `chunks` are all of its contents, in their
  /// order; `contents` and `crc` are of all of them. Neither counts where it has none.
  Result<void> add_entry(const ChunkedEntry& entry, const std::vector<Chunk>& chunks,
                         const Digest& contents, std::uint64_t crc);

  /// Writes the three frames behind the tar's, to where `out` has as many bytes as the blob.
  /// Returns the annotations.
  Result<oci::Annotations> write(HashingSink& out);

 private:
  /// A JSON text in a zstd frame.
  struct Document {
    StringSink packed;
    ZstdSink sink{packed};
    std::uint64_t plain_bytes = 0;

    Result<void> add(std::string_view text);
  };

  Result<void> add_to_table(std::string entry);

  Document table_, tar_split_;
  bool is_first_ = true;
  std::uint64_t segments_ = 0;
};

}  // namespace slipway::layer
