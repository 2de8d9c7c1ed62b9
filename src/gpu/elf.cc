#include "gpu/elf.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

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

namespace {

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

/// The entries of the dynamic section that name something, before their strings are read.
struct DynamicEntries {
  std::uint64_t strings_address = 0, strings_bytes = 0;
  std::vector<std::uint64_t> needed;
  std::optional<std::uint64_t> soname, rpath, runpath;
  VersionTables versions;
};

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
    if (entries.needed.size() > kMostNames) return corrupt_elf("it needs more than 4096 libraries");
  }
  return entries;
}

std::vector<std::string> split_search_path(std::string_view text) {
  std::vector<std::string> folders;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    if (colon != 0) folders.emplace_back(text.substr(0, colon));
    text = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  }
  return folders;
}

Result<void> read_names(const ElfView& elf, const std::vector<Segment>& segments,
                        const DynamicEntries& entries, ElfFacts& facts) {
  const VersionTables& versions = entries.versions;
  if (entries.needed.empty() && !entries.soname && !entries.rpath && !entries.runpath &&
      versions.needed == 0 && versions.defined == 0)
    return {};
  const auto strings = find_place(segments, entries.strings_address);
  if (!strings) return corrupt_elf("the string table is in no segment");
  const NameTable names{strings->offset,
                        std::min(entries.strings_bytes, strings->end - strings->offset)};
  const auto name_at = [&](std::uint64_t index) { return read_name(elf, names, index); };
  for (const std::uint64_t index : entries.needed) facts.needed.push_back(TRY(name_at(index)));
  if (entries.soname) facts.soname = TRY(name_at(*entries.soname));
  if (entries.rpath) facts.rpath = split_search_path(TRY(name_at(*entries.rpath)));
  if (entries.runpath) facts.runpath = split_search_path(TRY(name_at(*entries.runpath)));
  return read_versions(elf, segments, names, versions, facts);
}

Result<void> read_program(const ElfView& elf, ElfFacts& facts) {
  const std::vector<Segment> segments = TRY(read_segments(elf));
  for (const Segment& segment : segments) {
    if (segment.type == PT_INTERP) {
      auto text = elf.string(segment.offset, segment.offset + segment.file_bytes);
      if (!text) return corrupt_elf("the interpreter's name does not end");
      facts.interpreter = std::move(*text);
    }
    if (segment.type == PT_DYNAMIC && segment.file_bytes > 0) {
      const DynamicEntries entries = TRY(read_dynamic(elf, segments, segment));
      TRY(read_names(elf, segments, entries, facts));
      break;
    }
  }
  return {};
}

/// Of a file that stays open no longer than the map.
class FileMap {
 public:
  FileMap(int fd, std::size_t size) : size_(size) {
    data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    // Without this the kernel reads ahead megabytes around each of the few pages that we touch.
    if (data_ != MAP_FAILED) madvise(data_, size_, MADV_RANDOM);
  }
  FileMap(const FileMap&) = delete;
  FileMap& operator=(const FileMap&) = delete;
  ~FileMap() {
    if (data_ != MAP_FAILED) munmap(data_, size_);
  }
  bool ok() const { return data_ != MAP_FAILED; }
  Bytes bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_;
  std::size_t size_;
};

}  // namespace

Result<std::optional<ElfView>> open_elf(Bytes bytes) {
  const std::string_view text = as_text(bytes.subspan(0, std::min<std::size_t>(bytes.size(), 16)));
  if (!text.starts_with(std::string_view(ELFMAG, SELFMAG))) return std::optional<ElfView>();
  if (text.size() < EI_NIDENT) return corrupt_elf("the header is cut short");
  const char file_class = text[EI_CLASS], order = text[EI_DATA];
  if (file_class != ELFCLASS32 && file_class != ELFCLASS64) return corrupt_elf("an unknown class");
  if (order != ELFDATA2LSB && order != ELFDATA2MSB) return corrupt_elf("an unknown byte order");
  return std::optional(ElfView(bytes, file_class == ELFCLASS64, order == ELFDATA2LSB));
}

Result<std::optional<ElfFacts>> read_elf(Bytes bytes) {
  const std::optional<ElfView> view = TRY(open_elf(bytes));
  if (!view) return std::optional<ElfFacts>();
  const ElfView& elf = *view;
  const auto type = elf.number<std::uint16_t>(16);
  const auto machine = elf.number<std::uint16_t>(18);
  if (!type || !machine) return corrupt_elf("the header is cut short");
  ElfFacts facts;
  facts.machine = *machine;
  facts.is_64bit = elf.is_64bit();
  // Objects (.o) and core files are never loaded; their headers have other meanings.
  if (*type == ET_EXEC || *type == ET_DYN) TRY(read_program(elf, facts));
  return std::optional(std::move(facts));
}

Result<std::optional<ElfFile>> read_elf_file(int fd) {
  char magic[SELFMAG] = {};
  const ssize_t got = pread(fd, magic, sizeof magic, 0);
  if (got < 0) return errno_error("cannot read a file");
  if (got != sizeof magic || std::memcmp(magic, ELFMAG, SELFMAG) != 0)
    return std::optional<ElfFile>();
  struct stat status {};
  if (fstat(fd, &status) != 0) return errno_error("cannot stat a file");
  const FileMap map(fd, static_cast<std::size_t>(status.st_size));
  if (!map.ok()) return errno_error("cannot map a file");
  std::optional<ElfFacts> facts = TRY(read_elf(map.bytes()));
  if (!facts) return std::optional<ElfFile>();
  ElfFile file{std::move(*facts), {}};
  Result<GpuCode> code = read_gpu_code(map.bytes());
  if (code.ok()) file.code = std::move(code).value();
  if (!code.ok()) file.code.problem = code.error().message;
  return std::optional(std::move(file));
}

}  // namespace slipway::gpu
