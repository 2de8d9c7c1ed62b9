#include "lazy/chunked_index.h"

#include <array>
#include <charconv>

#include "base/io.h"
#include "layer/chunked_toc.h"
#include "layer/decompress.h"

namespace slipway::lazy {
namespace {

constexpr std::uint64_t kMostBytes = 64 << 20;
/// As containers/storage numbers it: the kind that is eStargz's.
constexpr std::uint64_t kKnownType = 1;

Error corrupt(std::string_view why) {
  return make_error(ErrorKind::Corrupt, "table of contents {}", why);
}

/// `offset:packed:plain:type`.
std::optional<std::array<std::uint64_t, 4>> parse_position(std::string_view text) {
  std::array<std::uint64_t, 4> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string_view field = text.substr(0, text.find(':'));
    const auto [end, error] = std::from_chars(field.begin(), field.end(), numbers[i]);
    const bool is_last = field.size() == text.size();
    if (error != std::errc() || end != field.end() || is_last != (i + 1 == numbers.size())) {
      return std::nullopt;
    }
    text.remove_prefix(is_last ? field.size() : field.size() + 1);
  }
  return numbers;
}

}  // namespace

Result<ChunkedTable> find_chunked_table(const oci::Descriptor& layer) {
  const auto digest = layer.annotations.find(std::string(layer::kChunkedTocDigest));
  const auto position = layer.annotations.find(std::string(layer::kChunkedTocPosition));
  if (digest == layer.annotations.end() || position == layer.annotations.end()) {
    return make_error(ErrorKind::Unsupported, "it has no table of contents");
  }
  const auto numbers = parse_position(position->second);
  const auto parsed = parse_digest(digest->second);
  if (!numbers || !parsed.ok()) return corrupt("is not where the manifest has it");
  const auto [offset, packed, plain, type] = *numbers;
  if (type != kKnownType || packed > kMostBytes || plain > kMostBytes) {
    return make_error(ErrorKind::Unsupported, "its table of contents is of another kind");
  }
  if (offset > layer.size_bytes || packed > layer.size_bytes - offset) {
    return corrupt("lies outside the layer");
  }
  return ChunkedTable{offset, packed, plain, *parsed};
}

Result<std::string> unpack_chunked_index(std::string_view packed, const ChunkedTable& table) {
  if (sha256(packed) != table.digest) return corrupt("is not the one that the manifest names");
  BytesSource source(as_bytes(packed));
  layer::Decompressed plain(source);
  // One byte more would show that there is more.
  std::string text(static_cast<std::size_t>(table.plain_bytes) + 1, '\0');
  const Result<std::size_t> got = read_full(plain, std::as_writable_bytes(std::span(text)));
  if (!got.ok()) return corrupt(fmt::format("is damaged: it {}", got.error().message));
  if (*got != table.plain_bytes) return corrupt("has another size than the manifest says");
  text.resize(*got);
  return text;
}

}  // namespace slipway::lazy
