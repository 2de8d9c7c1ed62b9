#include <elf.h>

#include "gpu/elf_view.h"

namespace slipway::gpu {
namespace {

/// The structures are of the same size in both classes: gABI, "Symbol versioning" (LSB 10.7).
constexpr std::uint64_t kNeedBytes = 16, kNeedAuxBytes = 16, kDefineBytes = 20;

/// Chains of records, each with the distance to the next: followed forwards only, so that no chain
/// goes round, and no further than the segment.
class Chain {
 public:
  Chain(std::uint64_t offset, std::uint64_t end) : offset_(offset), end_(end) {}
  bool fits(std::uint64_t bytes) const { return offset_ <= end_ && end_ - offset_ >= bytes; }
  std::uint64_t offset() const { return offset_; }
  bool move(std::uint64_t step, std::uint64_t record_bytes) {
    if (step < record_bytes || !fits(step)) return false;
    offset_ += step;
    return true;
  }

 private:
  std::uint64_t offset_, end_;
};

Result<void> read_needed_of(const ElfView& elf, const NameTable& names, const std::string& library,
                            Chain chain, std::uint16_t count, ElfFacts& facts) {
  for (std::uint16_t i = 0; i < count; ++i) {
    if (!chain.fits(kNeedAuxBytes)) return corrupt_elf("a needed version lies outside its segment");
    const auto flags = elf.number<std::uint16_t>(chain.offset() + 4);
    const auto name = elf.number<std::uint32_t>(chain.offset() + 8);
    const auto next = elf.number<std::uint32_t>(chain.offset() + 12);
    if (!flags || !name || !next) return corrupt_elf("a needed version lies outside the file");
    facts.needed_versions.push_back(
        {library, TRY(read_name(elf, names, *name)), (*flags & VER_FLG_WEAK) != 0});
    if (facts.needed_versions.size() > kMostNames)
      return corrupt_elf("it needs more than 4096 versions");
    if (*next == 0) break;
    if (!chain.move(*next, kNeedAuxBytes)) return corrupt_elf("needed versions lead outside");
  }
  return {};
}

Result<void> read_needed(const ElfView& elf, const NameTable& names, const Place& place,
                         std::uint64_t count, ElfFacts& facts) {
  Chain chain(place.offset, place.end);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!chain.fits(kNeedBytes)) return corrupt_elf("the needed versions lie outside a segment");
    const auto versions = elf.number<std::uint16_t>(chain.offset() + 2);
    const auto file = elf.number<std::uint32_t>(chain.offset() + 4);
    const auto first = elf.number<std::uint32_t>(chain.offset() + 8);
    const auto next = elf.number<std::uint32_t>(chain.offset() + 12);
    if (!versions || !file || !first || !next)
      return corrupt_elf("the needed versions lie outside the file");
    const std::string library = TRY(read_name(elf, names, *file));
    Chain inner = chain;
    if (*versions > 0 && !inner.move(*first, kNeedBytes))
      return corrupt_elf("needed versions lead outside");
    TRY(read_needed_of(elf, names, library, inner, *versions, facts));
    if (*next == 0) break;
    if (!chain.move(*next, kNeedBytes)) return corrupt_elf("needed versions lead outside");
  }
  return {};
}

Result<void> read_defined(const ElfView& elf, const NameTable& names, const Place& place,
                          std::uint64_t count, ElfFacts& facts) {
  Chain chain(place.offset, place.end);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!chain.fits(kDefineBytes)) return corrupt_elf("the versions lie outside a segment");
    const auto flags = elf.number<std::uint16_t>(chain.offset() + 2);
    const auto first = elf.number<std::uint32_t>(chain.offset() + 12);
    const auto next = elf.number<std::uint32_t>(chain.offset() + 16);
    if (!flags || !first || !next) return corrupt_elf("the versions lie outside the file");
    // The first record is the file's own name; the others' first auxiliary is the version, those
    // behind it its parents.
    if ((*flags & VER_FLG_BASE) == 0) {
      Chain inner = chain;
      if (!inner.move(*first, kDefineBytes)) return corrupt_elf("a version leads outside");
      const auto name = elf.number<std::uint32_t>(inner.offset());
      if (!name) return corrupt_elf("a version lies outside the file");
      facts.defined_versions.push_back(TRY(read_name(elf, names, *name)));
      if (facts.defined_versions.size() > kMostNames)
        return corrupt_elf("it defines more than 4096 versions");
    }
    if (*next == 0) break;
    if (!chain.move(*next, kDefineBytes)) return corrupt_elf("versions lead outside");
  }
  return {};
}

}  // namespace

Result<void> read_versions(const ElfView& elf, const std::vector<Segment>& segments,
                           const NameTable& names, const VersionTables& tables, ElfFacts& facts) {
  if (tables.needed != 0) {
    const auto place = find_place(segments, tables.needed);
    if (!place) return corrupt_elf("the needed versions are in no segment");
    TRY(read_needed(elf, names, *place, tables.needed_count, facts));
  }
  if (tables.defined != 0) {
    const auto place = find_place(segments, tables.defined);
    if (!place) return corrupt_elf("the versions are in no segment");
    TRY(read_defined(elf, names, *place, tables.defined_count, facts));
  }
  return {};
}

}  // namespace slipway::gpu
