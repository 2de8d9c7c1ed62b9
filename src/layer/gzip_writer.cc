#include "layer/gzip_writer.h"

#include "layer/inflate.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kFlushBytes = 64 * 1024;

}  // namespace

void GzipWriter::put_header() {
  // RFC 1952, 2.3: deflate, no flags, no time, no extra flags, unknown system.
  constexpr std::string_view kHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  pending_ += kHeader;
}

void GzipWriter::put_trailer(std::uint32_t crc32, std::uint64_t plain_bytes) {
  // The size counts modulo 2^32.
  const std::uint64_t both = std::uint64_t{crc32} | (plain_bytes & 0xffffffff) << 32;
  for (int i = 0; i < 8; ++i) pending_.push_back(static_cast<char>(both >> 8 * i));
}

Result<void> GzipWriter::encode(Bytes plain) {
  if (!is_open_) {
    put_header();
    is_open_ = true;
    crc_ = 0;
    plain_bytes_ = 0;
  }
  encoder_.write(plain, pending_);
  crc_ = crc32(crc_, plain);
  plain_bytes_ += plain.size();
  if (pending_.size() >= kFlushBytes) return flush();
  return {};
}

Result<std::uint64_t> GzipWriter::end_member() {
  if (is_open_) {
    encoder_.finish(pending_);
    put_trailer(crc_, plain_bytes_);
    is_open_ = false;
  }
  return out_.size_bytes() + pending_.size();
}

Result<void> GzipWriter::begin_copy() {
  TRY(end_member());
  put_header();
  return {};
}

Result<void> GzipWriter::copy(Bytes raw, Sha256& other) {
  if (pending_.size() + raw.size() < kFlushBytes) {
    pending_ += as_text(raw);
    other.update(raw);
    return {};
  }
  TRY(flush());
  return out_.write_and_hash(raw, other);
}

Result<void> GzipWriter::end_copy(std::uint32_t crc32, std::uint64_t plain_bytes) {
  put_trailer(crc32, plain_bytes);
  return {};
}

Result<void> GzipWriter::append(std::string_view members) {
  TRY(end_member());
  pending_ += members;
  if (pending_.size() >= kFlushBytes) return flush();
  return {};
}

Result<void> GzipWriter::finish() {
  TRY(end_member());
  return flush();
}

Result<void> GzipWriter::flush() {
  if (pending_.empty()) return {};
  Result<void> result = out_.write(as_bytes(pending_));
  pending_.clear();
  return result;
}

}  // namespace slipway::layer
