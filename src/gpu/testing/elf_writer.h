/// Small ELF files made to measure, for tests: what the toolchain here cannot make (other machines,
/// classes and byte orders), and what no toolchain would.
#pragma once

#include <map>
#include <string>

#include "gpu/elf.h"

namespace slipway::gpu {

inline constexpr std::uint64_t kElfBase = 0x10000;  ///< what addresses have over file offsets

enum class ByteOrder { Little, Big };

/// A shared library of `facts`, without section headers unless there are `sections` (name ->
/// bytes; `.rela…` are tables of relocations). Its addresses are not its file offsets.
std::string make_elf(const ElfFacts& facts, ByteOrder order = ByteOrder::Little,
                     const std::map<std::string, std::string>& sections = {});

}  // namespace slipway::gpu
