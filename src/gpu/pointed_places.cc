#include "gpu/pointed_places.h"

#include <algorithm>

namespace slipway::gpu {
namespace {

constexpr std::uint32_t kRela = 4;  ///< SHT_RELA
constexpr std::uint64_t kRelaBytes = 24;
constexpr std::uint64_t kRelativeX86_64 = 8, kRelativeAarch64 = 1027;

}  // namespace

Result<std::vector<std::uint64_t>> find_pointed_places(const ElfView& elf) {
  std::vector<std::uint64_t> places;
  if (!elf.is_64bit()) return places;
  const int machine = elf.number<std::uint16_t>(18).value_or(0);
  const std::uint64_t relative = machine == kMachineX86_64    ? kRelativeX86_64
                                 : machine == kMachineAarch64 ? kRelativeAarch64
                                                              : 0;
  if (relative == 0) return places;
  const std::vector<Segment> segments = TRY(read_segments(elf));
  const auto look = [&](const ElfSection& section) -> Result<void> {
    if (section.type != kRela) return {};
    TRY(section_bytes(elf, section));
    for (std::uint64_t at = 0; section.size - at >= kRelaBytes; at += kRelaBytes) {
      const std::uint64_t entry = section.offset + at;
      if ((*elf.number<std::uint64_t>(entry + 8) & 0xffffffff) != relative) continue;
      const auto place = find_place(segments, *elf.number<std::uint64_t>(entry + 16));
      if (place) places.push_back(place->offset);
    }
    return {};
  };
  TRY(visit_sections(elf, look));
  std::ranges::sort(places);
  return places;
}

}  // namespace slipway::gpu
