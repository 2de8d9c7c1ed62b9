#include "gpu/fat_binary.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "gpu/elf_view.h"

namespace slipway::gpu {
namespace {

constexpr std::uint32_t kMagic = 0xba55ed50;
constexpr std::uint16_t kVersion = 1, kPtx = 1, kSass = 2;
constexpr std::uint64_t kContainerBytes = 16, kEntryBytes = 64;
constexpr std::uint64_t kExactFlag = 0x100000;
constexpr std::uint64_t kMostPadding = 4096;
constexpr std::uint32_t kMostEntries = 1 << 22;

Error lie(std::uint64_t offset, std::string_view what) {
  return make_error(ErrorKind::Corrupt, "fat binary at offset {}: {}", offset, what);
}

using Key = std::tuple<CodeKind, CodeTarget>;

struct Sum {
  int ptx_major = 0, ptx_minor = 0;
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;
};

class Reader {
 public:
  explicit Reader(Bytes section) : view_(section, true, true), size_(section.size()) {}

  Result<std::vector<CodeGroup>> run() {
    std::uint64_t padding = 0;
    for (std::uint64_t at = 0; size_ - at >= 8;) {
      // Containers are aligned; what lies between them is zero.
      if (number<std::uint64_t>(at) == 0 && padding < kMostPadding) {
        at += 8;
        padding += 8;
        continue;
      }
      padding = 0;
      TRY(read_container(at));
    }
    std::vector<CodeGroup> groups;
    for (const auto& [key, sum] : sums_) {
      CodeGroup group{std::get<0>(key), std::get<1>(key), "", sum.count, sum.bytes};
      if (group.kind == CodeKind::Ptx)
        group.ptx_version = fmt::format("{}.{}", sum.ptx_major, sum.ptx_minor);
      groups.push_back(std::move(group));
    }
    return groups;
  }

 private:
  /// Only for offsets that were checked.
  template <typename T>
  T number(std::uint64_t offset) const {
    return view_.number<T>(offset).value_or(T());
  }

  Result<void> read_container(std::uint64_t& at) {
    if (size_ - at < kContainerBytes) return lie(at, "a header is cut short");
    if (number<std::uint32_t>(at) != kMagic) return lie(at, "it does not begin as one");
    if (number<std::uint16_t>(at + 4) != kVersion) return lie(at, "an unknown version");
    const std::uint64_t header = number<std::uint16_t>(at + 6);
    const std::uint64_t body = number<std::uint64_t>(at + 8);
    if (header < kContainerBytes || header > size_ - at)
      return lie(at, "a header of a strange size");
    if (body > size_ - at - header)
      return lie(at,
                 fmt::format("it claims {} bytes where {} are left", body, size_ - at - header));
    const std::uint64_t end = at + header + body;
    for (std::uint64_t entry = at + header; entry < end;) TRY(read_entry(entry, end));
    at = end;
    return {};
  }

  Result<void> read_entry(std::uint64_t& at, std::uint64_t end) {
    if (end - at < kEntryBytes) return lie(at, "an entry is cut short");
    const auto kind = number<std::uint16_t>(at);
    const std::uint64_t header = number<std::uint32_t>(at + 4);
    const std::uint64_t payload = number<std::uint64_t>(at + 8);
    if (header < kEntryBytes || header > end - at)
      return lie(at, fmt::format("an entry's header claims {} bytes", header));
    if (payload > end - at - header)
      return lie(at, fmt::format("an entry claims {} bytes where {} are left", payload,
                                 end - at - header));
    if (number<std::uint32_t>(at + 16) > payload)
      return lie(at, "an entry's compressed size is larger than its room");
    if (++entries_ > kMostEntries) return lie(at, "more than four million entries");
    if (kind == kPtx || kind == kSass) TRY(note(at, kind, payload));
    at += header + payload;
    return {};
  }

  Result<void> note(std::uint64_t at, std::uint16_t kind, std::uint64_t payload) {
    const auto architecture = number<std::uint32_t>(at + 28);
    const auto flags = number<std::uint64_t>(at + 40);
    if (architecture < 10 || architecture > 999)
      return lie(at, fmt::format("an entry for architecture {}", architecture));
    CodeTarget target;
    target.capability = {static_cast<int>(architecture / 10), static_cast<int>(architecture % 10)};
    if ((flags & kExactFlag) != 0) target.variant = CodeVariant::Exact;
    Sum& sum = sums_[{kind == kPtx ? CodeKind::Ptx : CodeKind::Sass, target}];
    const int minor = number<std::uint16_t>(at + 24), major = number<std::uint16_t>(at + 26);
    if (std::tie(major, minor) > std::tie(sum.ptx_major, sum.ptx_minor)) {
      sum.ptx_major = major;
      sum.ptx_minor = minor;
    }
    ++sum.count;
    sum.bytes += payload;
    return {};
  }

  ElfView view_;
  std::uint64_t size_;
  std::uint32_t entries_ = 0;
  std::map<Key, Sum> sums_;
};

/// Where the section headers are: gABI chapter 4, "ELF header".
struct SectionTable {
  std::uint64_t offset = 0, count = 0, entry_bytes = 0, names = 0;
};

struct Section {
  std::uint32_t name = 0, type = 0;
  std::uint64_t offset = 0, bytes = 0;
};

constexpr std::uint32_t kNoBits = 8;  ///< SHT_NOBITS: takes no room in the file

std::optional<Section> read_section(const ElfView& elf, const SectionTable& table,
                                    std::uint64_t index) {
  const std::uint64_t at = table.offset + index * table.entry_bytes;
  const bool wide = elf.is_64bit();
  const auto name = elf.number<std::uint32_t>(at), type = elf.number<std::uint32_t>(at + 4);
  const auto offset = elf.word(at + (wide ? 24 : 16)), bytes = elf.word(at + (wide ? 32 : 20));
  if (!name || !type || !offset || !bytes || at < table.offset) return std::nullopt;
  return Section{*name, *type, *offset, *bytes};
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
    const auto first = read_section(elf, table, 0);
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

Result<std::vector<CodeGroup>> read_code_section(const ElfView& elf, const Section& section) {
  const std::uint64_t size = elf.bytes().size();
  if (section.offset > size || section.bytes > size - section.offset)
    return corrupt_elf("the section of its GPU code reaches beyond the file");
  return read_fat_binaries(elf.bytes().subspan(section.offset, section.bytes));
}

void append(std::vector<CodeGroup>& all, std::vector<CodeGroup> more) {
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end());
}

}  // namespace

Result<std::vector<CodeGroup>> read_fat_binaries(Bytes section) { return Reader(section).run(); }

Result<GpuCode> read_gpu_code(Bytes file) {
  GpuCode code;
  const std::optional<ElfView> elf = TRY(open_elf(file));
  if (!elf) return code;
  const SectionTable table = TRY(read_section_table(*elf));
  if (table.count == 0) {
    const std::optional<ElfFacts> facts = TRY(read_elf(file));
    for (const std::string& library : facts->needed) {
      if (library.starts_with("libcudart.so") || library.starts_with("libcuda.so"))
        code.problem = "it has no section headers, by which its GPU code would be found";
    }
    return code;
  }
  const auto names = read_section(*elf, table, table.names);
  if (!names) return corrupt_elf("the names of its sections lie outside the file");
  for (std::uint64_t i = 0; i < table.count; ++i) {
    const auto section = read_section(*elf, table, i);
    if (!section || section->type == kNoBits || section->bytes == 0) continue;
    const std::uint64_t end = names->offset + names->bytes;
    const auto name =
        end < names->offset ? std::nullopt : elf->string(names->offset + section->name, end);
    if (!name) continue;
    if (*name == ".nv_fatbin") append(code.groups, TRY(read_code_section(*elf, *section)));
    if (*name == "__nv_relfatbin") append(code.relocatable, TRY(read_code_section(*elf, *section)));
  }
  return code;
}

}  // namespace slipway::gpu
