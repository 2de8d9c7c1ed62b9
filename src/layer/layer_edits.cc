#include "layer/layer_edits.h"

#include <algorithm>
#include <cstring>

#include "layer/blob_parts.h"
#include "layer/gzip_writer.h"
#include "layer/tar_header.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

/// A range of the tar and what takes its place: as many zeros, `bytes`, or those of an open file.
struct TarEdit {
  std::uint64_t begin = 0, end = 0;
  bool is_hole = false;
  std::string bytes = {};
  const std::byte* moved = nullptr;

  Bytes text() const {
    return moved != nullptr ? Bytes(moved, static_cast<std::size_t>(end - begin)) : as_bytes(bytes);
  }
};

/// ustar: the size as twelve octal digits at 124, the checksum as six at 148 (POSIX.1-2017, pax).
Result<std::string> header_of_size(const TarPlace& place, std::uint64_t size) {
  std::string header(as_text(place.header));
  const std::string was = fmt::format("{:011o}", place.size);
  if (header.compare(124, 11, was) != 0 || size > 077777777777)
    return make_error(ErrorKind::Unsupported, "has a header whose size is written in another way");
  header.replace(124, 11, fmt::format("{:011o}", size));
  header.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return header;
}

void add_patch(const TarPlace& place, const Patch& patch, Bytes old, std::vector<TarEdit>& all) {
  for (const Piece& piece : patch.pieces) {
    SLIPWAY_CHECK(piece.offset <= place.size && piece.size <= place.size - piece.offset);
    const std::uint64_t begin = place.contents + piece.offset;
    TarEdit edit{begin, begin + piece.size};
    if (const auto* moved = std::get_if<Piece::Moved>(&piece.bytes)) {
      edit.moved = old.subspan(moved->from, piece.size).data();
    } else if (const auto* text = std::get_if<std::string>(&piece.bytes)) {
      edit.bytes = *text;
    } else {
      edit.is_hole = true;
    }
    all.push_back(std::move(edit));
  }
}

/// The edits of the whole tar, in their order, and the files of which they borrow.
struct TarEdits {
  std::vector<TarEdit> all;
  std::vector<MappedFile> files;

  Result<void> add(const std::string& tree, const std::string& path, const TarPlace& place,
                   const FileEdit& edit) {
    if (std::holds_alternative<Remove>(edit)) {
      all.push_back({place.begin, place.end});
    } else if (const auto* patch = std::get_if<Patch>(&edit)) {
      files.push_back(TRY(map_tree_file(tree, path)));
      const Bytes old = files.back().bytes();
      if (old.size() != place.size)
        return make_error(ErrorKind::Corrupt, "the unpacked layer is not what its blob unpacks to");
      add_patch(place, *patch, old, all);
    } else {
      const std::string& contents = std::get<Rewrite>(edit).contents;
      std::string text = TRY(header_of_size(place, contents.size()));
      text += contents;
      text.append(tar_padding(contents.size()), '\0');
      all.push_back({place.contents - kTarBlock, place.end, false, std::move(text)});
    }
    return {};
  }
};

Result<TarEdits> edits_of_tar(const LayerSurvey& survey, const LayerEdits& edits,
                              const std::string& tree) {
  TarEdits tar;
  for (const TarPlace& place : survey.stargz) tar.all.push_back({place.begin, place.end});
  for (const auto& [path, edit] : edits) {
    const Result<void> added = tar.add(tree, path, survey.files.at(path), edit);
    if (!added.ok()) {
      Error error = added.error();
      return std::move(error).while_doing("changing `" + path + "`");
    }
  }
  std::ranges::sort(tar.all, {}, &TarEdit::begin);
  return tar;
}

std::uint64_t unpacked_bytes_after(const LayerSurvey& survey, const LayerEdits& edits) {
  std::uint64_t bytes = survey.unpacked_bytes;  // without those of the table of contents
  for (const auto& [path, edit] : edits) {
    if (std::holds_alternative<Patch>(edit)) continue;
    bytes -= survey.files.at(path).size;
    if (const auto* rewrite = std::get_if<Rewrite>(&edit)) bytes += rewrite->contents.size();
  }
  return bytes;
}

/// The plain bytes of the old layer come in, those of the new one go to the hash and the encoder.
class Editor {
 public:
  Editor(const std::vector<TarEdit>& edits, Sink& out) : edits_(edits), blob_(&out), gzip_(blob_) {}

  bool touches(const ByteRange& part) const {
    const auto first = std::ranges::partition_point(
        edits_, [&](const TarEdit& edit) { return edit.end <= part.offset; });
    return first != edits_.end() && first->begin < part.offset + part.size;
  }

  void pass(Bytes plain) {
    tar_.update(plain);
    tar_bytes_ += plain.size();
    position_ += plain.size();
  }
  Result<void> copy_member(Bytes raw) {
    for (; !raw.empty(); raw = raw.subspan(std::min(raw.size(), kBufferBytes)))
      TRY(gzip_.append(as_text(raw.first(std::min(raw.size(), kBufferBytes)))));
    return {};
  }

  Result<void> edit(std::span<std::byte> plain) {
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
        TRY(emit_all(edits_[next_].text()));
      if (is_before || edits_[next_].is_hole) TRY(emit(piece));
      position_ += count;
      plain = plain.subspan(count);
    }
    return {};
  }

  Result<LayerFacts> finish() {
    TRY(gzip_.finish());
    LayerFacts facts;
    facts.size_bytes = blob_.size_bytes();
    facts.digest = blob_.finish();
    facts.diff_id = tar_.finish();
    facts.tar_bytes = tar_bytes_;
    return facts;
  }

 private:
  Result<void> emit(Bytes bytes) {
    tar_.update(bytes);
    tar_bytes_ += bytes.size();
    return gzip_.encode(bytes);
  }

  /// In pieces, so that what was compressed is passed on.
  Result<void> emit_all(Bytes bytes) {
    while (!bytes.empty()) {
      const std::size_t count = std::min(bytes.size(), kBufferBytes);
      TRY(emit(bytes.first(count)));
      bytes = bytes.subspan(count);
    }
    return {};
  }

  const std::vector<TarEdit>& edits_;
  std::size_t next_ = 0;
  std::uint64_t position_ = 0;  ///< in the old tar
  HashingSink blob_;
  GzipWriter gzip_;
  Sha256 tar_;
  std::uint64_t tar_bytes_ = 0;
};

}  // namespace

Result<LayerFacts> write_edited_layer(Bytes blob, const LayerSurvey& survey,
                                      const LayerEdits& edits, const std::string& tree, Sink& out,
                                      const CancelToken& cancel) {
  const TarEdits changes = TRY(edits_of_tar(survey, edits, tree));
  Editor editor(changes.all, out);
  BlobParts parts(blob);
  std::vector<std::byte> buffer(kBufferBytes);
  for (const ByteRange& part : survey.parts) {
    SLIPWAY_CHECK(TRY(parts.next()));
    const bool is_edited = editor.touches(part);
    bool is_copied = false;
    for (;;) {
      TRY(cancel.check());
      const std::size_t count = TRY(parts.read(buffer));
      if (count == 0) break;
      const std::span<std::byte> plain = std::span(buffer).first(count);
      is_copied = !is_edited && parts.is_gzip();
      if (is_copied) {
        editor.pass(plain);
      } else {
        TRY(editor.edit(plain));
      }
    }
    if (is_copied) TRY(editor.copy_member(parts.raw()));
  }
  LayerFacts facts = TRY(editor.finish());
  facts.unpacked_bytes = unpacked_bytes_after(survey, edits);
  return facts;
}

}  // namespace slipway::layer
