#include "gpu/elf_symbols.h"

#include <elf.h>

#include <algorithm>

#include "gpu/elf_view.h"

namespace slipway::gpu {
namespace {

// More than any real library has: libtorch_cpu.so defines 84,000.
constexpr std::uint64_t kMostSymbols = 1 << 23;
constexpr std::size_t kMostNameBytes = 64 << 20;
constexpr std::size_t kLongestName = 1 << 16;  ///< templates of templates: beyond 4096 in Eigen
constexpr std::uint16_t kHidden = 0x8000;      ///< of an entry of DT_VERSYM

class SymbolReader {
 public:
  SymbolReader(const ElfView& elf, const std::vector<Segment>& segments,
               const DynamicEntries& entries)
      : elf_(elf), segments_(segments), entries_(entries) {}

  Result<void> read(ElfSymbols& into) {
    if (entries_.symbols == 0 || (entries_.hash == 0 && entries_.gnu_hash == 0)) return {};
    names_ = TRY(find_names(segments_, entries_));
    symbols_ = TRY(find(entries_.symbols, "the symbols are in no segment"));
    if (entries_.symbol_versions != 0)
      versions_ = TRY(find(entries_.symbol_versions, "the symbols' versions are in no segment"));
    if (entries_.gnu_hash != 0) {
      TRY(read_gnu_hash(into));
    } else {
      TRY(read_all(into));
    }
    std::ranges::sort(into.undefined);
    std::ranges::sort(into.defined);
    into.defined.erase(std::unique(into.defined.begin(), into.defined.end()), into.defined.end());
    return {};
  }

 private:
  struct Symbol {
    std::uint32_t name = 0;
    std::uint8_t binding = 0;
    std::uint16_t section = 0;
  };

  Result<Place> find(std::uint64_t address, std::string_view problem) const {
    const auto place = find_place(segments_, address);
    if (!place) return corrupt_elf(problem);
    return *place;
  }

  /// The `index`th number of 32 bits from `offset` on.
  Result<std::uint32_t> number_at(const Place& table, std::uint64_t index) const {
    const auto number = elf_.number<std::uint32_t>(table.offset + 4 * index);
    if (!number || table.offset + 4 * index >= table.end)
      return corrupt_elf("a table of symbols lies outside its segment");
    return *number;
  }

  Result<Symbol> symbol_at(std::uint64_t index) const {
    const bool wide = elf_.is_64bit();
    const std::uint64_t at = symbols_.offset + index * (wide ? 24 : 16);
    const auto name = elf_.number<std::uint32_t>(at);
    const auto info = elf_.number<std::uint8_t>(at + (wide ? 4 : 12));
    const auto section = elf_.number<std::uint16_t>(at + (wide ? 6 : 14));
    if (!name || !info || !section || at >= symbols_.end)
      return corrupt_elf("a symbol lies outside its segment");
    return Symbol{*name, static_cast<std::uint8_t>(*info >> 4), *section};
  }

  Result<std::string> name_of(const Symbol& symbol) const {
    if (symbol.name >= names_.bytes) return corrupt_elf("a name lies outside the string table");
    auto name =
        elf_.string(names_.offset + symbol.name, names_.offset + names_.bytes, kLongestName);
    if (!name) return corrupt_elf("a symbol's name does not end");
    return std::move(*name);
  }

  /// 0 is local, 1 global without a version: elf.h, VER_NDX_LOCAL and VER_NDX_GLOBAL.
  bool has_version(std::uint64_t index) const {
    if (entries_.symbol_versions == 0) return false;
    const auto version = elf_.number<std::uint16_t>(versions_.offset + 2 * index);
    return version && (*version & ~kHidden) > VER_NDX_GLOBAL;
  }

  Result<void> add_undefined(std::uint64_t index, const Symbol& symbol, ElfSymbols& into) {
    if (symbol.binding != STB_GLOBAL || has_version(index)) return {};
    std::string name = TRY(name_of(symbol));
    name_bytes_ += name.size();
    if (name_bytes_ > kMostNameBytes) return corrupt_elf("it needs more symbols than any real one");
    if (!name.empty()) into.undefined.push_back(std::move(name));
    return {};
  }

  /// Undefined symbols come first; behind them, in the order of their buckets, what is defined: the
  /// chain of hashes runs beside the symbols, and a set lowest bit ends a bucket.
  Result<void> read_gnu_hash(ElfSymbols& into) {
    const Place table = TRY(find(entries_.gnu_hash, "the hash table is in no segment"));
    const std::uint64_t buckets = TRY(number_at(table, 0)), first = TRY(number_at(table, 1));
    const std::uint64_t bloom_words = TRY(number_at(table, 2));
    if (first > kMostSymbols || buckets > kMostSymbols || bloom_words > kMostSymbols)
      return corrupt_elf("it has more symbols than any real one");
    for (std::uint64_t i = 1; i < first; ++i) {
      const Symbol symbol = TRY(symbol_at(i));
      if (symbol.section == SHN_UNDEF) TRY(add_undefined(i, symbol, into));
    }
    const std::uint64_t bucket_at = 4 + bloom_words * (elf_.is_64bit() ? 2 : 1);
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < buckets; ++i)
      last = std::max<std::uint64_t>(last, TRY(number_at(table, bucket_at + i)));
    if (last < first || last == 0) return {};  // nothing is defined
    for (std::uint64_t i = first;; ++i) {
      if (i - first > kMostSymbols) return corrupt_elf("it has more symbols than any real one");
      const std::uint32_t hash = TRY(number_at(table, bucket_at + buckets + i - first));
      into.defined.push_back(hash >> 1);
      if (i >= last && (hash & 1) != 0) return {};
    }
  }

  /// By the number of chains of DT_HASH, which is that of the symbols.
  Result<void> read_all(ElfSymbols& into) {
    const Place table = TRY(find(entries_.hash, "the hash table is in no segment"));
    const std::uint64_t count = TRY(number_at(table, 1));
    if (count > kMostSymbols) return corrupt_elf("it has more symbols than any real one");
    for (std::uint64_t i = 1; i < count; ++i) {
      const Symbol symbol = TRY(symbol_at(i));
      if (symbol.section == SHN_UNDEF) {
        TRY(add_undefined(i, symbol, into));
      } else if (symbol.binding != STB_LOCAL) {
        into.defined.push_back(symbol_hash(TRY(name_of(symbol))));
      }
    }
    return {};
  }

  const ElfView& elf_;
  const std::vector<Segment>& segments_;
  const DynamicEntries& entries_;
  NameTable names_;
  Place symbols_, versions_;
  std::size_t name_bytes_ = 0;
};

Result<void> read_into(Bytes file, ElfSymbols& into) {
  const std::optional<ElfView> elf = TRY(open_elf(file));
  if (!elf) return {};
  const auto type = elf->number<std::uint16_t>(16);
  if (!type || (*type != ET_EXEC && *type != ET_DYN)) return {};
  const std::vector<Segment> segments = TRY(read_segments(*elf));
  for (const Segment& segment : segments) {
    if (segment.type != PT_DYNAMIC || segment.file_bytes == 0) continue;
    const DynamicEntries entries = TRY(read_dynamic(*elf, segments, segment));
    return SymbolReader(*elf, segments, entries).read(into);
  }
  return {};
}

}  // namespace

std::uint32_t symbol_hash(std::string_view name) {
  std::uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<unsigned char>(c);
  return hash >> 1;
}

ElfSymbols read_symbols(Bytes file) {
  ElfSymbols symbols;
  const Result<void> read = read_into(file, symbols);
  if (!read.ok()) return {{}, {}, read.error().message};
  return symbols;
}

}  // namespace slipway::gpu
