/// The dynamic symbols of an ELF file, as far as the proof of a closure needs them: what it leaves
/// to others to define, and what it defines for others.
///
/// Versions are not looked at here: a symbol with a version is proved by its version
/// (ElfFacts::needed_versions). What is left are names without one, as of libtorch and libc10,
/// whose binary interface is these names and changes with every release.
///
/// What is defined is kept as hashes, 31 bits each: the loader's own hash table (DT_GNU_HASH) holds
/// them side by side, so of a library with 80,000 symbols half a megabyte is read and no name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/io.h"

namespace slipway::gpu {

struct ElfSymbols {
  /// Must be defined by somebody when it is loaded: global, not weak, without a version. Sorted.
  std::vector<std::string> undefined;
  std::vector<std::uint32_t> defined;  ///< symbol_hash of each; sorted, each once
  std::string problem;                 ///< why they could not be read; then both are empty
  bool operator==(const ElfSymbols&) const = default;
};

/// The hash of DT_GNU_HASH without its lowest bit, which ends chains there.
std::uint32_t symbol_hash(std::string_view name);

/// Never beyond the bytes; tables that lie are told in `problem`. Bytes without a dynamic section
/// have no symbols.
ElfSymbols read_symbols(Bytes file);

}  // namespace slipway::gpu
