#include <fcntl.h>

#include <algorithm>

#include "layer/layer_edits.h"

namespace slipway::layer {

Result<MappedFile> map_tree_file(const std::string& tree, const std::string& path) {
  const UniqueFd root = TRY(open_file(tree, O_RDONLY | O_DIRECTORY));
  const UniqueFd fd = TRY(open_beneath(root.get(), path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0));
  return MappedFile::of(fd.get());
}

Result<void> visit_patched(Bytes old, const Patch& patch, const PatchVisitor& bytes,
                           const ZerosVisitor& zeros) {
  std::uint64_t at = 0;
  for (const Piece& piece : patch.pieces) {
    if (piece.offset > at) TRY(bytes(at, old.subspan(at, piece.offset - at)));
    if (const auto* moved = std::get_if<Piece::Moved>(&piece.bytes)) {
      TRY(bytes(piece.offset, old.subspan(moved->from, piece.size)));
    } else if (const auto* text = std::get_if<std::string>(&piece.bytes)) {
      TRY(bytes(piece.offset, as_bytes(*text)));
    } else {
      TRY(zeros(piece.offset, piece.size));
    }
    at = piece.offset + piece.size;
  }
  if (at < old.size()) TRY(bytes(at, old.subspan(at)));
  return {};
}

Digest digest_of_patched(Bytes old, const Patch& patch) {
  static constexpr std::array<std::byte, 1 << 16> kZeros{};
  Sha256 hash;
  const auto add = [&](std::uint64_t, Bytes bytes) -> Result<void> {
    hash.update(bytes);
    return {};
  };
  const auto add_zeros = [&](std::uint64_t, std::uint64_t size) -> Result<void> {
    for (std::uint64_t left = size; left > 0;) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, kZeros.size()));
      hash.update(Bytes(kZeros).first(count));
      left -= count;
    }
    return {};
  };
  SLIPWAY_CHECK(visit_patched(old, patch, add, add_zeros).ok());
  return hash.finish();
}

Result<PatchedDigests> digest_patched_files(const std::string& tree, const LayerEdits& edits) {
  PatchedDigests digests;
  for (const auto& [path, edit] : edits) {
    const auto* patch = std::get_if<Patch>(&edit);
    if (patch == nullptr) continue;
    const MappedFile old = TRY(map_tree_file(tree, path));
    digests[path] = digest_of_patched(old.bytes(), *patch);
  }
  return digests;
}

}  // namespace slipway::layer
