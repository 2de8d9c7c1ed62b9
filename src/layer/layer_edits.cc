#include "layer/layer_edits.h"

#include <algorithm>

#include "layer/blob_editor.h"
#include "layer/blob_parts.h"
#include "layer/tar_header.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

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
      std::string header = TRY(header_of_size(place, contents.size()));
      std::string text = contents + std::string(tar_padding(contents.size()), '\0');
      // Two, for the contents may begin a part of the blob; an empty range would have no place.
      const std::uint64_t begin = place.contents - kTarBlock;
      if (place.size == 0) {
        all.push_back({.begin = begin, .end = place.end, .bytes = header + text});
      } else {
        all.push_back({.begin = begin, .end = place.contents, .bytes = std::move(header)});
        all.push_back({.begin = place.contents, .end = place.end, .bytes = std::move(text)});
      }
    }
    return {};
  }
};

Result<TarEdits> edits_of_tar(const LayerSurvey& survey, const LayerEdits& edits, bool keeps_toc,
                              const std::string& tree) {
  TarEdits tar;
  if (keeps_toc) {
    const TarPlace& toc = survey.stargz.back();
    tar.all.push_back({.begin = toc.begin, .end = toc.end, .is_toc = true});
  } else {
    for (const TarPlace& place : survey.stargz) tar.all.push_back({place.begin, place.end});
  }
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

/// Nothing where the new layer can have no table.
std::optional<EditedToc> edit_toc(const LayerSurvey& survey, const LayerEdits& edits,
                                  const PatchedDigests& digests) {
  if (!survey.toc) return std::nullopt;
  EditedToc::Changes changes;
  for (const auto& [path, edit] : edits) {
    std::optional<EditedToc::File>& file = changes[path];
    if (std::holds_alternative<Patch>(edit)) {
      file.emplace(survey.files.at(path).size, digests.at(path));
    } else if (const auto* rewrite = std::get_if<Rewrite>(&edit)) {
      file.emplace(rewrite->contents.size(), sha256(rewrite->contents));
    }
  }
  std::set<std::uint64_t> members;
  for (const LayerPart& part : survey.parts) members.insert(part.blob_offset);
  return EditedToc::read(*survey.toc, std::move(changes), members);
}

}  // namespace

Result<LayerFacts> write_edited_layer(Bytes blob, const LayerSurvey& survey,
                                      const LayerEdits& edits, const PatchedDigests& digests,
                                      OldToc trust, const std::string& tree, Sink& out,
                                      const CancelToken& cancel) {
  std::optional<EditedToc> toc;
  if (trust == OldToc::Trusted) toc = edit_toc(survey, edits, digests);
  const TarEdits changes = TRY(edits_of_tar(survey, edits, toc.has_value(), tree));
  BlobEditor editor(changes.all, toc, out);
  BlobParts parts(blob);
  std::vector<std::byte> buffer(kBufferBytes);
  for (const LayerPart& part : survey.parts) {
    SLIPWAY_CHECK(TRY(parts.next()));
    TRY(editor.begin_part(part));
    const bool is_edited = editor.touches(part.plain);
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
