/// eStargz (stargz-snapshotter's docs/estargz.md): a gzip layer that says where in it each file
/// lies, so that it can be used before all of it is there.
///
/// Every file's contents begin a gzip member. The last file of the tar, in a member of its own, is
/// a table of contents; behind it stands a gzip member without contents whose header tells where
/// the table's member begins. To other readers both are an ordinary file and nothing.
///
/// Pure. What the specification leaves open is fixed here: no file is cut into chunks, JSON without
/// white space, members in one order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "layer/tar_header.h"
#include "oci/json_writer.h"

namespace slipway::layer {

inline constexpr std::string_view kTocName = "stargz.index.json";
/// Says that no part of the layer has to be there first. Its one byte is the specification's.
inline constexpr std::string_view kNoPrefetchName = ".no.prefetch.landmark";
inline constexpr std::string_view kPrefetchName = ".prefetch.landmark";
inline constexpr std::byte kLandmark{0x0f};

/// Whether this is a file of the archive's own, not one of the image. Such files are in no tree.
bool is_stargz_name(std::string_view path);

/// Annotations of the layer's descriptor: the table's digest, and the size of the whole tar.
inline constexpr std::string_view kTocDigestAnnotation = "containerd.io/snapshot/stargz/toc.digest";
inline constexpr std::string_view kTarBytesAnnotation = "io.containers.estargz.uncompressed-size";

class StargzToc {
 public:
  StargzToc();

  /// What is no file with contents.
  void add(const TarEntry& entry);
  /// `offset` is where in the blob the member begins whose first `entry.size_bytes` bytes,
  /// unpacked, are the contents.
  void add_file(const TarEntry& entry, std::uint64_t offset, const Digest& contents);

  /// JSON has no way to tell a path that is not UTF-8, so a layer with one has no table.
  bool can_tell_all() const { return can_tell_all_; }
  std::string take_text();

 private:
  void begin_entry(const TarEntry& entry);
  void end_entry(const TarEntry& entry);

  oci::JsonWriter json_;
  bool can_tell_all_ = true;
};

inline constexpr std::size_t kStargzFooterBytes = 51;
/// The gzip member at the end.
std::string make_stargz_footer(std::uint64_t toc_offset);

}  // namespace slipway::layer
