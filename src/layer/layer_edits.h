/// Changes to files of a layer that exists: ranges of a file, all of it, or no file at all.
///
/// The blob is changed as a tar is, in place: each part of it (blob_parts.h) in which no byte
/// changes is copied as it is compressed, the others go through our own encoder. What comes out is
/// a function of the blob's bytes, the edits and kLayoutVersion.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/io.h"
#include "layer/layout.h"

namespace slipway::layer {

struct ByteRange {
  std::uint64_t offset = 0, size = 0;
};

/// A range of the new file: zeros, bytes of the old one from another place, or these bytes.
struct Piece {
  struct Zeros {};
  struct Moved {
    std::uint64_t from = 0;
  };
  std::uint64_t offset = 0, size = 0;
  std::variant<Zeros, Moved, std::string> bytes;
};

struct Patch {
  std::vector<Piece> pieces;  ///< rising, apart, inside the file: the rest stays as it is
};
struct Rewrite {
  std::string contents;
};
struct Remove {};
using FileEdit = std::variant<Patch, Rewrite, Remove>;
using LayerEdits = std::map<std::string, FileEdit>;  ///< by path, without a leading slash
/// Of the new files of all patches among such edits, by path.
using PatchedDigests = std::map<std::string, Digest>;

/// Where a file lies in the tar.
struct TarPlace {
  std::uint64_t begin = 0;     ///< of its headers
  std::uint64_t contents = 0;  ///< of its bytes
  std::uint64_t size = 0;
  std::uint64_t end = 0;  ///< with the padding
  std::array<std::byte, 512> header{};
};

/// A part of the blob (blob_parts.h).
struct LayerPart {
  ByteRange plain;
  std::uint64_t blob_offset = 0;  ///< where its gzip member begins
};

struct LayerSurvey {
  Digest diff_id;
  std::map<std::string, TarPlace> files;  ///< those asked about that can be edited
  std::set<std::string> tangled;          ///< those that cannot: with hard links, or there twice
  std::vector<TarPlace> stargz;           ///< eStargz's own files (stargz_toc.h)
  /// The text of eStargz's table of contents, where it is the last file, in a member of its own.
  std::optional<std::string> toc;
  std::uint64_t unpacked_bytes = 0;  ///< of all files
  std::vector<LayerPart> parts;
};

/// Reads a blob once. `wants` says about which paths. Fails with Corrupt or Unsupported as
/// tar_stream.h has it.
Result<LayerSurvey> survey_layer(Bytes blob, const std::function<bool(const std::string&)>& wants,
                                 const CancelToken& cancel);

/// Whether the layer's table of contents tells of its files what is so: a caller knows by the
/// digest that the image's manifest has of it.
enum class OldToc { Distrusted, Trusted };

/// Writes the changed layer, as tar+gzip. A trusted table of contents of eStargz's is told anew
/// (edited_toc.h); where that cannot be done, and any other, goes. Each path of `edits` is one of
/// `survey.files`; `digests` are of these edits; `tree` is the layer's own, where bytes that move
/// are read. Fails with Unsupported for a size that the file's header cannot hold, Corrupt where
/// tree and blob differ.
Result<LayerFacts> write_edited_layer(Bytes blob, const LayerSurvey& survey,
                                      const LayerEdits& edits, const PatchedDigests& digests,
                                      OldToc toc, const std::string& tree, Sink& out,
                                      const CancelToken& cancel);

/// The same on a layer's tree: `target`, an empty folder on the same file system, becomes a tree of
/// hard links to `tree` but for the files that change; of these, zeros take no room. Fails with
/// NotFound where one is not there, or is no file.
Result<void> write_edited_tree(const std::string& tree, const std::string& target,
                               const LayerEdits& edits, const CancelToken& cancel);

/// A file of a layer's tree; no link is followed on the way.
Result<MappedFile> map_tree_file(const std::string& tree, const std::string& path);

/// The new file from front to back, in ranges of any size: bytes, or how many zeros.
using PatchVisitor = std::function<Result<void>(std::uint64_t offset, Bytes bytes)>;
using ZerosVisitor = std::function<Result<void>(std::uint64_t offset, std::uint64_t size)>;
Result<void> visit_patched(Bytes old, const Patch& patch, const PatchVisitor& bytes,
                           const ZerosVisitor& zeros);
Digest digest_of_patched(Bytes old, const Patch& patch);
/// Reads each patched file of the tree once. Fails as map_tree_file.
Result<PatchedDigests> digest_patched_files(const std::string& tree, const LayerEdits& edits);

}  // namespace slipway::layer
