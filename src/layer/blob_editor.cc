#include "layer/blob_editor.h"

#include <algorithm>
#include <cstring>

#include "layer/stargz_toc.h"
#include "layer/tar_header.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

}  // namespace

Result<void> BlobEditor::begin_part(const LayerPart& part) {
  offsets_[part.blob_offset] = last_offset_ = TRY(gzip_.end_member());
  return {};
}

bool BlobEditor::touches(const ByteRange& part) const {
  const auto first = std::ranges::partition_point(
      edits_, [&](const TarEdit& edit) { return edit.end <= part.offset; });
  return first != edits_.end() && first->begin < part.offset + part.size;
}

Result<void> BlobEditor::edit(std::span<std::byte> plain) {
  while (!plain.empty()) {
    while (next_ < edits_.size() && edits_[next_].end <= position_) ++next_;
    const bool is_before = next_ == edits_.size() || position_ < edits_[next_].begin;
    const std::uint64_t stop = next_ == edits_.size() ? UINT64_MAX
                               : is_before            ? edits_[next_].begin
                                                      : edits_[next_].end;
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(plain.size(), stop - position_));
    const std::span<std::byte> piece = plain.first(count);
    if (!is_before && edits_[next_].is_hole) std::memset(piece.data(), 0, count);
    if (!is_before && !edits_[next_].is_hole && position_ == edits_[next_].begin)
      TRY(edits_[next_].is_toc ? emit_toc() : emit_all(edits_[next_].text()));
    if (is_before || edits_[next_].is_hole) TRY(emit(piece));
    position_ += count;
    plain = plain.subspan(count);
  }
  return {};
}

void BlobEditor::pass(Bytes plain) {
  tar_.update(plain);
  tar_bytes_ += plain.size();
  position_ += plain.size();
}

Result<void> BlobEditor::copy_member(Bytes raw) {
  while (!raw.empty()) {
    const std::size_t count = std::min(raw.size(), kPieceBytes);
    TRY(gzip_.append(as_text(raw.first(count))));
    raw = raw.subspan(count);
  }
  return {};
}

Result<LayerFacts> BlobEditor::finish() {
  if (toc_) TRY(gzip_.append(make_stargz_footer(toc_offset_)));
  TRY(gzip_.finish());
  LayerFacts facts;
  facts.toc = toc_;
  facts.size_bytes = blob_.size_bytes();
  facts.digest = blob_.finish();
  facts.diff_id = tar_.finish();
  facts.tar_bytes = tar_bytes_;
  return facts;
}

Result<void> BlobEditor::emit(Bytes bytes) {
  tar_.update(bytes);
  tar_bytes_ += bytes.size();
  return gzip_.encode(bytes);
}

/// In pieces, so that what was compressed is passed on.
Result<void> BlobEditor::emit_all(Bytes bytes) {
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kPieceBytes);
    TRY(emit(bytes.first(count)));
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<void> BlobEditor::emit_toc() {
  const std::string text = old_toc_->write(offsets_);
  toc_ = sha256(text);
  toc_offset_ = last_offset_;
  TarEntry entry;
  entry.path = kTocName;
  entry.size_bytes = text.size();
  TRY(emit_all(as_bytes(make_tar_header(entry))));
  TRY(emit_all(as_bytes(text)));
  return emit_all(as_bytes(std::string(tar_padding(text.size()), '\0')));
}

}  // namespace slipway::layer
