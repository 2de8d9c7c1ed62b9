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

/// Where it begins stands in the last bytes.
Result<LazyFolder::Table> fetch_stargz_table(registry::Registry& registry,
                                             const std::string& repository,
                                             const oci::Descriptor& layer, const Digest& digest,
                                             const CancelToken& cancel) {
  const std::uint64_t tail_bytes = std::min(kTailBytes, layer.size_bytes);
  const std::uint64_t tail_offset = layer.size_bytes - tail_bytes;
  std::string tail = TRY(registry.fetch_range(repository, layer, tail_offset, tail_bytes, cancel));
  const std::uint64_t offset = TRY(lazy::parse_stargz_footer(tail, layer.size_bytes));
  if (offset + kMostTableBytes < tail_offset) {
    return make_error(ErrorKind::Unsupported, "its table of contents is larger than any real one");
  }
  if (offset < tail_offset) {
    const std::uint64_t front_bytes = tail_offset - offset;
    tail.insert(0, TRY(registry.fetch_range(repository, layer, offset, front_bytes, cancel)));
  } else {
    tail.erase(0, static_cast<std::size_t>(offset - tail_offset));
  }
  tail.resize(tail.size() - layer::kStargzFooterBytes);
  return LazyFolder::Table{offset, TRY(lazy::unpack_stargz_index(tail, digest))};
}

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

Result<LazyFolder::Table> fetch_lazy_table(registry::Registry& registry,
                                           const std::string& repository,
                                           const oci::Descriptor& layer,
                                           const CancelToken& cancel) {
  const auto fetch = [&]() -> Result<LazyFolder::Table> {
    const auto digest = layer.annotations.find(std::string(layer::kTocDigestAnnotation));
    LazyFolder::Table table;
    if (digest != layer.annotations.end()) {
      const Digest expected = TRY(parse_digest(digest->second));
      table = TRY(fetch_stargz_table(registry, repository, layer, expected, cancel));
    } else {
      table = TRY(fetch_chunked_table(registry, repository, layer, cancel));
    }
    TRY(lazy::parse_stargz_index(table.text, table.toc_offset));
    return table;
  };
  return TRY_WHILE(fmt::format("reading layer `{}`", layer.digest.text()), fetch());
}

}  // namespace slipway::plan
