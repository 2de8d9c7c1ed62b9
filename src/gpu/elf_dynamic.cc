#include <elf.h>

#include <algorithm>

#include "gpu/elf_view.h"

namespace slipway::gpu {

Error corrupt_elf(std::string_view what) {
  return make_error(ErrorKind::Corrupt, "not a sound ELF file: {}", what);
}

std::optional<Place> find_place(const std::vector<Segment>& segments, std::uint64_t address) {
  for (const Segment& segment : segments) {
    if (segment.type != PT_LOAD || address < segment.address) continue;
    const std::uint64_t inside = address - segment.address;
    if (inside >= segment.file_bytes) continue;
    const std::uint64_t end = segment.offset + segment.file_bytes;
    if (end < segment.offset) return std::nullopt;
    return Place{segment.offset + inside, end};
  }
  return std::nullopt;
}

Result<std::string> read_name(const ElfView& elf, const NameTable& names, std::uint64_t index) {
  if (index >= names.bytes) return corrupt_elf("a name lies outside the string table");
  auto name = elf.string(names.offset + index, names.offset + names.bytes);
  if (!name) return corrupt_elf("a name does not end");
  return std::move(*name);
}

Result<std::vector<Segment>> read_segments(const ElfView& elf) {
  const bool wide = elf.is_64bit();
  const auto table = elf.word(wide ? 32 : 28);
  const auto entry_bytes = elf.number<std::uint16_t>(wide ? 54 : 42);
  const auto count = elf.number<std::uint16_t>(wide ? 56 : 44);
  if (!table || !entry_bytes || !count) return corrupt_elf("the header is cut short");
  std::vector<Segment> segments;
  if (*count == 0) return segments;
  const std::size_t own_bytes = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  if (*entry_bytes != own_bytes) return corrupt_elf("program headers of a strange size");
  for (std::uint64_t i = 0; i < *count; ++i) {
    const std::uint64_t at = *table + i * own_bytes;
    if (at < *table) return corrupt_elf("the program headers wrap around");
    const auto type = elf.number<std::uint32_t>(at);
    const auto offset = elf.word(at + (wide ? 8 : 4));
    const auto address = elf.word(at + (wide ? 16 : 8));
    const auto file_bytes = elf.word(at + (wide ? 32 : 16));
    if (!type || !offset || !address || !file_bytes)
      return corrupt_elf("the program headers lie outside the file");
    segments.push_back({*type, *offset, *address, *file_bytes});
  }
  return segments;
}

Result<DynamicEntries> read_dynamic(const ElfView& elf, const std::vector<Segment>& segments,
                                    const Segment& dynamic) {
  // The loader reads the section where it is mapped, not where p_offset says: so do we.
  const auto place = find_place(segments, dynamic.address);
  if (!place) return corrupt_elf("the dynamic section is in no segment");
  const std::uint64_t step = elf.is_64bit() ? 16 : 8;
  const std::uint64_t room = std::min(dynamic.file_bytes, place->end - place->offset);
  DynamicEntries entries;
  for (std::uint64_t i = 0; i < room / step; ++i) {
    const std::uint64_t at = place->offset + i * step;
    const auto tag = elf.word(at);
    const auto value = elf.word(at + step / 2);
    if (!tag || !value) return corrupt_elf("the dynamic section lies outside the file");
    if (*tag == DT_NULL) break;
    if (*tag == DT_STRTAB) entries.strings_address = *value;
    if (*tag == DT_STRSZ) entries.strings_bytes = *value;
    if (*tag == DT_NEEDED) entries.needed.push_back(*value);
    if (*tag == DT_SONAME) entries.soname = *value;
    if (*tag == DT_RPATH) entries.rpath = *value;
    if (*tag == DT_RUNPATH) entries.runpath = *value;
    if (*tag == DT_VERNEED) entries.versions.needed = *value;
    if (*tag == DT_VERNEEDNUM) entries.versions.needed_count = *value;
    if (*tag == DT_VERDEF) entries.versions.defined = *value;
    if (*tag == DT_VERDEFNUM) entries.versions.defined_count = *value;
    if (*tag == DT_SYMTAB) entries.symbols = *value;
    if (*tag == DT_HASH) entries.hash = *value;
    if (*tag == DT_GNU_HASH) entries.gnu_hash = *value;
    if (*tag == DT_VERSYM) entries.symbol_versions = *value;
    if (entries.needed.size() > kMostNames) return corrupt_elf("it needs more than 4096 libraries");
  }
  return entries;
}

Result<NameTable> find_names(const std::vector<Segment>& segments, const DynamicEntries& entries) {
  const auto strings = find_place(segments, entries.strings_address);
  if (!strings) return corrupt_elf("the string table is in no segment");
  return NameTable{strings->offset,
                   std::min(entries.strings_bytes, strings->end - strings->offset)};
}

}  // namespace slipway::gpu
