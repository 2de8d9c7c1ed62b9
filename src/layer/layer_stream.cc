#include "layer/layer_stream.h"

#include <array>

namespace slipway::layer {
namespace {

constexpr std::array<std::byte, kTarEndBytes> kZeros{};

}  // namespace

Result<void> LayerStream::encode(Bytes plain) {
  if (hash_tar_) tar_.update(plain);
  tar_bytes_ += plain.size();
  return gzip_.encode(plain);
}

Result<void> LayerStream::header(const TarEntry& entry) {
  // The padding of the file before joins its header.
  std::string text(padding_, '\0');
  text += make_tar_header(entry);
  padding_ = tar_padding(entry.size_bytes);
  return encode(as_bytes(text));
}

Result<void> LayerStream::add(const TarEntry& entry) {
  toc_.add(entry);
  return header(entry);
}

Result<void> LayerStream::begin_file(const TarEntry& entry) {
  TRY(header(entry));
  unpacked_bytes_ += entry.size_bytes;
  file_ = entry;
  file_hash_ = {};
  // Its contents begin a member, and padding and the next header join them there.
  if (entry.size_bytes > 0) file_offset_ = TRY(gzip_.end_member());
  return {};
}

Result<void> LayerStream::contents(Bytes plain) {
  copy_plain(plain);
  tar_bytes_ += plain.size();
  return gzip_.encode(plain);
}

Result<void> LayerStream::begin_copy() {
  tar_bytes_ += file_.size_bytes;
  return gzip_.begin_copy();
}

void LayerStream::copy_plain(Bytes plain) {
  if (hash_tar_) {
    update_both(tar_, plain, file_hash_, plain);
  } else {
    file_hash_.update(plain);
  }
}

Digest LayerStream::end_file(const Digest* known) {
  const Digest digest = known != nullptr ? *known : file_hash_.finish();
  if (file_.size_bytes > 0) {
    toc_.add_file(file_, file_offset_, digest);
  } else {
    toc_.add(file_);
  }
  return digest;
}

Result<void> LayerStream::add_small_file(std::string_view path, Bytes contents_bytes) {
  TarEntry entry;
  entry.path = path;
  entry.size_bytes = contents_bytes.size();
  TRY(begin_file(entry));
  TRY(contents(contents_bytes));
  end_file();
  return {};
}

Result<LayerFacts> LayerStream::finish() {
  LayerFacts facts;
  facts.unpacked_bytes = unpacked_bytes_;
  std::uint64_t toc_offset = 0;
  if (toc_.can_tell_all()) {
    TRY(add_small_file(kNoPrefetchName, Bytes(&kLandmark, 1)));
    TRY(encode(Bytes(kZeros).first(std::exchange(padding_, 0))));
    toc_offset = TRY(gzip_.end_member());
    const std::string toc = toc_.take_text();
    facts.toc = sha256(toc);
    // Not by begin_file: the table's own contents begin no member.
    TarEntry entry;
    entry.path = kTocName;
    entry.size_bytes = toc.size();
    TRY(header(entry));
    TRY(encode(as_bytes(toc)));
  }
  TRY(encode(Bytes(kZeros).first(padding_)));
  TRY(encode(kZeros));
  if (facts.toc) TRY(gzip_.append(make_stargz_footer(toc_offset)));
  TRY(gzip_.finish());
  facts.tar_bytes = tar_bytes_;
  facts.size_bytes = blob_.size_bytes();
  facts.digest = blob_.finish();
  facts.diff_id = tar_.finish();
  return facts;
}

}  // namespace slipway::layer
