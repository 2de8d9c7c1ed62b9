#include "gpu/elf.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "gpu/elf_view.h"

namespace slipway::gpu {

namespace {

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
  const NameTable names = TRY(find_names(segments, entries));
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
  ElfFile file{std::move(*facts), {}, read_symbols(map.bytes())};
  Result<GpuCode> code = read_gpu_code(map.bytes());
  if (code.ok()) file.code = std::move(code).value();
  if (!code.ok()) file.code.problem = code.error().message;
  return std::optional(std::move(file));
}

}  // namespace slipway::gpu
