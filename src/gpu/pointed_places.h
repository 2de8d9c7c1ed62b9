/// Where in a file its own pointers lead, as the loader will set them.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "gpu/elf_view.h"

namespace slipway::gpu {

/// Offsets in the file, rising: the targets of all relocations that add a constant to the load
/// address (R_X86_64_RELATIVE, R_AARCH64_RELATIVE in RELA tables: the psABI supplements,
/// "Relocation types"). Of other machines and of packed tables (RELR) none. Corrupt where a table
/// lies outside.
Result<std::vector<std::uint64_t>> find_pointed_places(const ElfView& elf);

}  // namespace slipway::gpu
