/// Reading an ELF file's own numbers and strings, never beyond its end: shared by elf.cc,
/// elf_dynamic.cc, elf_sections.cc, elf_symbols.cc, elf_versions.cc, fat_binary.cc and
/// compat_library.cc.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/io.h"
#include "gpu/elf.h"

namespace slipway::gpu {

inline constexpr std::size_t kMostNames = 4096;
inline constexpr std::size_t kLongestString = 4096;

/// A range of the file that a program header names.
struct Segment {
  std::uint32_t type = 0;
  std::uint64_t offset = 0, address = 0, file_bytes = 0;
};

/// Numbers out of the file, in its own class and byte order; nothing beyond its end.
class ElfView {
 public:
  ElfView(Bytes bytes, bool is_64bit, bool is_little)
      : is_64bit_(is_64bit), bytes_(bytes), is_little_(is_little) {}

  template <typename T>
  std::optional<T> number(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof(T));
    if (is_little_ == (std::endian::native == std::endian::little)) return value;
    T swapped = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      swapped = static_cast<T>(static_cast<T>(swapped << 8) | static_cast<T>(value & 0xff));
      value = static_cast<T>(value >> 8);
    }
    return swapped;
  }
  /// An address or a size: 4 or 8 bytes by the class.
  std::optional<std::uint64_t> word(std::uint64_t offset) const {
    if (is_64bit_) return number<std::uint64_t>(offset);
    return number<std::uint32_t>(offset);
  }
  /// Up to a NUL before `end`.
  std::optional<std::string> string(std::uint64_t offset, std::uint64_t end,
                                    std::size_t longest = kLongestString) const {
    end = std::min<std::uint64_t>(end, bytes_.size());
    if (offset >= end) return std::nullopt;
    const auto most = std::min<std::uint64_t>(end - offset, longest + 1);
    const std::string_view text = as_text(bytes_.subspan(offset, most));
    const std::size_t length = text.find('\0');
    if (length == std::string_view::npos) return std::nullopt;
    return std::string(text.substr(0, length));
  }
  bool is_64bit() const { return is_64bit_; }
  bool is_little() const { return is_little_; }
  Bytes bytes() const { return bytes_; }

 private:
  bool is_64bit_;
  Bytes bytes_;
  bool is_little_;
};

/// Where an address of the running program lies in the file, and how far its segment reaches.
struct Place {
  std::uint64_t offset = 0, end = 0;
};
std::optional<Place> find_place(const std::vector<Segment>& segments, std::uint64_t address);

Error corrupt_elf(std::string_view what);

/// Nothing where these bytes do not start as ELF.
Result<std::optional<ElfView>> open_elf(Bytes bytes);

/// The table of names that DT_STRTAB and DT_STRSZ give.
struct NameTable {
  std::uint64_t offset = 0, bytes = 0;
};
Result<std::string> read_name(const ElfView& elf, const NameTable& names, std::uint64_t index);

/// DT_VERNEED and DT_VERDEF: addresses and counts; 0 where there are none.
struct VersionTables {
  std::uint64_t needed = 0, needed_count = 0, defined = 0, defined_count = 0;
};

Result<std::vector<Segment>> read_segments(const ElfView& elf);

/// A section that takes room in the file.
struct ElfSection {
  std::string name;
  std::uint32_t type = 0;
  std::uint64_t offset = 0, size = 0, alignment = 0;
};
/// In their order; ends with the first error of `visit`. False: there are no section headers.
Result<bool> visit_sections(const ElfView& elf,
                            const std::function<Result<void>(const ElfSection&)>& visit);
/// Corrupt where it reaches beyond the file.
Result<Bytes> section_bytes(const ElfView& elf, const ElfSection& section);

/// What the dynamic section says: addresses, and indexes of names, before anything is read there.
struct DynamicEntries {
  std::uint64_t strings_address = 0, strings_bytes = 0;
  std::vector<std::uint64_t> needed;
  std::optional<std::uint64_t> soname, rpath, runpath;
  VersionTables versions;
  std::uint64_t symbols = 0, symbol_versions = 0, hash = 0, gnu_hash = 0;  ///< 0: not there
};
Result<DynamicEntries> read_dynamic(const ElfView& elf, const std::vector<Segment>& segments,
                                    const Segment& dynamic);
/// The table of names; Corrupt where it is in no segment.
Result<NameTable> find_names(const std::vector<Segment>& segments, const DynamicEntries& entries);

Result<void> read_versions(const ElfView& elf, const std::vector<Segment>& segments,
                           const NameTable& names, const VersionTables& tables, ElfFacts& facts);

}  // namespace slipway::gpu
