#include <algorithm>

#include "layer/blob_parts.h"
#include "layer/layer_edits.h"
#include "layer/stargz_toc.h"
#include "layer/tar_header.h"
#include "layer/tar_stream.h"

namespace slipway::layer {
namespace {

constexpr std::uint64_t kMostTocBytes = 256 << 20;

bool begins_part(const std::vector<LayerPart>& parts, const TarPlace& place) {
  return std::ranges::any_of(
      parts, [&](const LayerPart& part) { return part.plain.offset == place.begin; });
}

/// The parts of a blob one behind the other, hashed, counted, the last block that was read at hand.
class PartsSource final : public Source {
 public:
  PartsSource(Bytes blob, const CancelToken& cancel) : blob_(blob), parts_(blob), cancel_(cancel) {}

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    TRY(cancel_.check());
    while (!is_over_) {
      if (!in_part_) {
        in_part_ = TRY(parts_.next());
        is_over_ = !in_part_;
        begin_ = position_;
        continue;
      }
      const std::size_t got = TRY(parts_.read(buffer));
      if (got > 0) {
        note(buffer.first(got));
        return got;
      }
      const Bytes raw = parts_.raw();
      const auto offset = raw.empty() ? 0 : static_cast<std::uint64_t>(raw.data() - blob_.data());
      found_.push_back({{begin_, position_ - begin_}, offset});
      in_part_ = false;
    }
    return std::size_t{0};
  }

  std::uint64_t position() const { return position_; }
  const std::array<std::byte, kTarBlock>& last_block() const { return last_; }
  std::vector<LayerPart> take_parts() { return std::move(found_); }
  Digest finish() { return hash_.finish(); }

 private:
  void note(Bytes bytes) {
    hash_.update(bytes);
    position_ += bytes.size();
    const Bytes end = bytes.last(std::min(bytes.size(), last_.size()));
    std::move(last_.begin() + static_cast<std::ptrdiff_t>(end.size()), last_.end(), last_.begin());
    std::ranges::copy(end, last_.end() - static_cast<std::ptrdiff_t>(end.size()));
  }

  Bytes blob_;
  BlobParts parts_;
  const CancelToken& cancel_;
  Sha256 hash_;
  std::array<std::byte, kTarBlock> last_{};
  std::vector<LayerPart> found_;
  std::uint64_t position_ = 0, begin_ = 0;
  bool in_part_ = false, is_over_ = false;
};

}  // namespace

Result<LayerSurvey> survey_layer(Bytes blob, const std::function<bool(const std::string&)>& wants,
                                 const CancelToken& cancel) {
  LayerSurvey survey;
  PartsSource plain(blob, cancel);
  TarStream tar(plain);
  std::vector<std::byte> buffer(1 << 18);
  std::uint64_t end = 0;
  while (const auto item = TRY(tar.next())) {
    TarPlace place{end, plain.position(), item->size_bytes, 0, plain.last_block()};
    const bool is_toc = item->path == kTocName && item->size_bytes <= kMostTocBytes;
    survey.toc = is_toc ? std::optional<std::string>(std::in_place) : std::nullopt;
    while (const std::size_t got = TRY(tar.read(buffer))) {
      if (is_toc) *survey.toc += as_text(Bytes(buffer).first(got));
    }
    place.end = end = plain.position() + tar_padding(item->size_bytes);
    if (is_stargz_name(item->path)) {
      survey.stargz.push_back(place);
      continue;
    }
    const bool is_file = item->kind == TarItem::Kind::File;
    if (is_file) survey.unpacked_bytes += item->size_bytes;
    if (item->kind == TarItem::Kind::HardLink) survey.tangled.insert(item->target);
    if (!wants(item->path)) continue;
    if (!is_file || !survey.files.emplace(item->path, place).second)
      survey.tangled.insert(item->path);
  }
  TRY(tar.drain());
  for (const std::string& path : survey.tangled) survey.files.erase(path);
  survey.parts = plain.take_parts();
  if (survey.toc && !begins_part(survey.parts, survey.stargz.back())) survey.toc.reset();
  survey.diff_id = plain.finish();
  return survey;
}

}  // namespace slipway::layer
