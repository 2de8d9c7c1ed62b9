#include <algorithm>

#include "gpu/elf_view.h"

namespace slipway::gpu {
namespace {

struct SectionTable {
  std::uint64_t offset = 0, count = 0, entry_bytes = 0, names = 0;
};

struct Header {
  std::uint32_t name = 0, type = 0;
  std::uint64_t offset = 0, bytes = 0, alignment = 0;
};

constexpr std::uint32_t kNoBits = 8;  ///< SHT_NOBITS: takes no room in the file

std::optional<Header> read_header(const ElfView& elf, const SectionTable& table,
                                  std::uint64_t index) {
  const std::uint64_t at = table.offset + index * table.entry_bytes;
  const bool wide = elf.is_64bit();
  const auto name = elf.number<std::uint32_t>(at), type = elf.number<std::uint32_t>(at + 4);
  const auto offset = elf.word(at + (wide ? 24 : 16)), bytes = elf.word(at + (wide ? 32 : 20));
  const auto alignment = elf.word(at + (wide ? 48 : 32));
  if (!name || !type || !offset || !bytes || !alignment || at < table.offset) return std::nullopt;
  return Header{*name, *type, *offset, *bytes, *alignment};
}

Result<SectionTable> read_section_table(const ElfView& elf) {
  const bool wide = elf.is_64bit();
  const auto offset = elf.word(wide ? 40 : 32);
  const auto entry_bytes = elf.number<std::uint16_t>(wide ? 58 : 46);
  const auto count = elf.number<std::uint16_t>(wide ? 60 : 48);
  const auto names = elf.number<std::uint16_t>(wide ? 62 : 50);
  if (!offset || !entry_bytes || !count || !names) return corrupt_elf("the header is cut short");
  SectionTable table{*offset, *count, *entry_bytes, *names};
  if (table.offset == 0) return SectionTable{};
  if (table.entry_bytes != (wide ? 64 : 40))
    return corrupt_elf("section headers of a strange size");
  if (table.count == 0 || table.names == 0xffff) {
    // More than 65279 sections: the true numbers stand in the first header.
    const auto first = read_header(elf, table, 0);
    const auto link = elf.number<std::uint32_t>(table.offset + (wide ? 40 : 24));
    if (!first || !link) return corrupt_elf("the section headers lie outside the file");
    if (table.count == 0) table.count = first->bytes;
    if (table.names == 0xffff) table.names = *link;
  }
  if (table.offset > elf.bytes().size() ||
      table.count > (elf.bytes().size() - table.offset) / table.entry_bytes)
    return corrupt_elf("the section headers lie outside the file");
  return table;
}

}  // namespace

Result<bool> visit_sections(const ElfView& elf,
                            const std::function<Result<void>(const ElfSection&)>& visit) {
  const SectionTable table = TRY(read_section_table(elf));
  if (table.count == 0) return false;
  const auto names = read_header(elf, table, table.names);
  if (!names) return corrupt_elf("the names of its sections lie outside the file");
  const std::uint64_t end = names->offset + names->bytes;
  for (std::uint64_t i = 0; i < table.count; ++i) {
    const auto header = read_header(elf, table, i);
    if (!header || header->type == kNoBits || header->bytes == 0) continue;
    const auto name =
        end < names->offset ? std::nullopt : elf.string(names->offset + header->name, end);
    if (!name) continue;
    TRY(visit({*name, header->type, header->offset, header->bytes, header->alignment}));
  }
  return true;
}

Result<Bytes> section_bytes(const ElfView& elf, const ElfSection& section) {
  const std::uint64_t size = elf.bytes().size();
  if (section.offset > size || section.size > size - section.offset)
    return corrupt_elf(fmt::format("its section {} reaches beyond the file", section.name));
  return elf.bytes().subspan(section.offset, section.size);
}

}  // namespace slipway::gpu
