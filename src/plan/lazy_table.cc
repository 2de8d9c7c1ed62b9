#include "plan/lazy_table.h"

#include <algorithm>

#include "layer/stargz_toc.h"
#include "lazy/chunked_index.h"
#include "lazy/stargz_index.h"

namespace slipway::plan {
namespace {

/// In the first request for a layer's end, which most tables fit in.
constexpr std::uint64_t kTailBytes = 64 << 10;
constexpr std::uint64_t kMostTableBytes = 64 << 20;

Result<LazyFolder::Table> fetch_chunked_table(registry::Registry& registry,
                                              const std::string& repository,
                                              const oci::Descriptor& layer,
                                              const CancelToken& cancel) {
  const lazy::ChunkedTable table = TRY(lazy::find_chunked_table(layer));
  const std::string packed =
      TRY(registry.fetch_range(repository, layer, table.offset, table.packed_bytes, cancel));
  return LazyFolder::Table{table.offset, TRY(lazy::unpack_chunked_index(packed, table))};
}

}  // namespace

Result<StargzTail> read_stargz_tail(const oci::Descriptor& layer, const Digest& toc,
                                    std::uint64_t guess, const ReadRange& read) {
  const std::uint64_t size = layer.size_bytes;
  StargzTail tail;
  tail.begin = size - std::min(guess, size);
  tail.bytes = TRY(read(tail.begin, size - tail.begin));
  // Where the table begins stands in the last bytes.
  tail.toc_offset = TRY(lazy::parse_stargz_footer(tail.bytes, size));
  if (size - tail.toc_offset > kMostTableBytes) {
    return make_error(ErrorKind::Unsupported, "its table of contents is larger than any real one");
  }
  if (tail.toc_offset < tail.begin) {
    tail.bytes.insert(0, TRY(read(tail.toc_offset, tail.begin - tail.toc_offset)));
    tail.begin = tail.toc_offset;
  }
  std::string_view member(tail.bytes);
  member.remove_prefix(static_cast<std::size_t>(tail.toc_offset - tail.begin));
  member.remove_suffix(layer::kStargzFooterBytes);
  tail.table = TRY(lazy::unpack_stargz_index(member, toc));
  return tail;
}

Result<LazyFolder::Table> fetch_lazy_table(registry::Registry& registry,
                                           const std::string& repository,
                                           const oci::Descriptor& layer,
                                           const CancelToken& cancel) {
  const auto fetch = [&]() -> Result<LazyFolder::Table> {
    const auto digest = layer.annotations.find(std::string(layer::kTocDigestAnnotation));
    LazyFolder::Table table;
    if (digest != layer.annotations.end()) {
      const Digest expected = TRY(parse_digest(digest->second));
      const ReadRange read = [&](std::uint64_t first, std::uint64_t bytes) {
        return registry.fetch_range(repository, layer, first, bytes, cancel);
      };
      StargzTail tail = TRY(read_stargz_tail(layer, expected, kTailBytes, read));
      table = {tail.toc_offset, std::move(tail.table)};
    } else {
      table = TRY(fetch_chunked_table(registry, repository, layer, cancel));
    }
    TRY(lazy::parse_stargz_index(table.text, table.toc_offset));
    return table;
  };
  return TRY_WHILE(fmt::format("reading layer `{}`", layer.digest.text()), fetch());
}

}  // namespace slipway::plan
