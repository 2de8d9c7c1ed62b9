/// What the loader needs to know of an ELF file: its dynamic section, read from memory.
///
/// Only the program headers are believed (PT_DYNAMIC, PT_LOAD, PT_INTERP), as the loader does, so
/// that files without section headers and files that patchelf has rearranged read the same. Both
/// classes and both byte orders are read: elf(5), gABI chapters 4 and 5. Of a mapped file only the
/// headers, the dynamic section and the named strings are touched: a handful of pages, also of a
/// library of 900 MB.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/io.h"
#include "gpu/elf_symbols.h"
#include "gpu/fat_binary.h"

namespace slipway::gpu {

/// e_machine values that we name (elf.h).
inline constexpr int kMachineX86 = 3;
inline constexpr int kMachineX86_64 = 62;
inline constexpr int kMachineAarch64 = 183;
#if defined(__aarch64__)
inline constexpr int kThisMachine = kMachineAarch64;
#else
inline constexpr int kThisMachine = kMachineX86_64;
#endif

/// A version of symbols that a file wants of a library: `GLIBC_2.17` of `libc.so.6`.
struct NeededVersion {
  std::string library, version;
  bool weak = false;  ///< the loader goes on without
  bool operator==(const NeededVersion&) const = default;
};

struct ElfFacts {
  int machine = 0;
  bool is_64bit = false;
  std::string soname;
  std::vector<std::string> needed;
  std::vector<std::string> rpath;    ///< split at `:`, not expanded; empty entries are left out
  std::vector<std::string> runpath;  ///< the same
  std::string interpreter;
  std::vector<NeededVersion> needed_versions = {};  ///< .gnu.version_r, in its order
  std::vector<std::string> defined_versions = {};   ///< .gnu.version_d, without the file's own name

  bool operator==(const ElfFacts&) const = default;
};

/// Nothing: these are not the bytes of an ELF file. Corrupt: they start as one, and then lie about
/// offsets or sizes, or name more than any real file does (4096 libraries, strings of 4096 bytes).
/// Objects and static programs without a dynamic section give facts that need nothing.
Result<std::optional<ElfFacts>> read_elf(Bytes bytes);

struct ElfFile {
  ElfFacts facts;
  GpuCode code;
  ElfSymbols symbols;
};

/// The same for an open regular file, with its GPU code and its symbols. Reads four bytes, and maps
/// the file only if it is ELF. Fat binaries and symbol tables that lie are told in their `problem`.
Result<std::optional<ElfFile>> read_elf_file(int fd);

}  // namespace slipway::gpu
