#include "gpu/slim_code.h"

#include <algorithm>

#include "gpu/elf_view.h"
#include "gpu/fat_entries.h"
#include "gpu/pointed_places.h"

namespace slipway::gpu {
namespace {

using Gpus = std::span<const ComputeCapability>;

bool is_sass_for(const FatEntry& entry, ComputeCapability device) {
  return entry.kind == FatEntry::Kind::Sass && runs_sass(entry.target, device);
}

/// Whether the driver may choose this entry of its container on the device.
bool may_run(const FatEntry& entry, const FatContainerView& container, ComputeCapability device) {
  if (entry.kind == FatEntry::Kind::Sass) return is_sass_for(entry, device);
  if (entry.kind == FatEntry::Kind::Other || !runs_ptx(entry.target, device)) return false;
  return std::ranges::none_of(container.entries,
                              [&](const FatEntry& other) { return is_sass_for(other, device); });
}

bool is_needed(const FatEntry& entry, const FatContainerView& container, Gpus gpus) {
  return std::ranges::any_of(gpus,
                             [&](ComputeCapability one) { return may_run(entry, container, one); });
}

class Slimmer {
 public:
  Slimmer(Gpus gpus, SlimCode& code) : gpus_(gpus), code_(code) {}

  void add_section(std::uint64_t offset, const FatContainerView& container) {
    std::vector<const FatEntry*> kept;
    bool has_code = false;
    for (const FatEntry& entry : container.entries) {
      const bool is_code = entry.kind != FatEntry::Kind::Other;
      if (is_code) code_.code_bytes += entry.payload_bytes;
      const bool stays = is_needed(entry, container, gpus_);
      has_code |= stays;
      if (stays || !is_code) kept.push_back(&entry);
    }
    if (!has_code || kept.size() == container.entries.size()) return;
    for (const FatEntry& entry : container.entries) {
      if (std::ranges::find(kept, &entry) == kept.end()) take_away(entry);
    }
    shrink(offset, container, kept);
  }

 private:
  void shrink(std::uint64_t section, const FatContainerView& container,
              const std::vector<const FatEntry*>& kept) {
    std::uint64_t body = 0;
    for (const FatEntry* entry : kept) body += entry->header_bytes + entry->payload_bytes;
    const std::uint64_t start = section + container.offset;
    add({CodePiece::What::Number, start + kFatSizeOffset, 8, 0, body});
    std::uint64_t to = start + container.header_bytes;
    for (const FatEntry* entry : kept) {
      const std::uint64_t size = entry->header_bytes + entry->payload_bytes;
      const std::uint64_t from = section + entry->offset;
      if (from != to) add({CodePiece::What::Moved, to, size, from, 0});
      to += size;
    }
    add({CodePiece::What::Zeros, to, container.body_bytes - body, 0, 0});
  }

  /// Neighbours that move together are one piece.
  void add(const CodePiece& piece) {
    if (!code_.pieces.empty() && piece.what == CodePiece::What::Moved) {
      CodePiece& last = code_.pieces.back();
      if (last.what == piece.what && last.offset + last.size == piece.offset &&
          last.from + last.size == piece.from) {
        last.size += piece.size;
        return;
      }
    }
    code_.pieces.push_back(piece);
  }

  void take_away(const FatEntry& entry) {
    const CodeKind kind = entry.kind == FatEntry::Kind::Ptx ? CodeKind::Ptx : CodeKind::Sass;
    auto& groups = code_.left.groups;
    const auto group = std::ranges::find_if(groups, [&](const CodeGroup& one) {
      return one.kind == kind && one.target == entry.target;
    });
    group->bytes -= entry.payload_bytes;
    if (--group->count == 0) groups.erase(group);
  }

  Gpus gpus_;
  SlimCode& code_;
};

/// What lies in a container may move only where nobody points into it.
struct Room {
  std::uint64_t begin = 0, end = 0;
};

std::string find_trouble(const std::vector<Room>& rooms, const std::vector<Room>& others,
                         const std::vector<std::uint64_t>& pointed) {
  for (std::size_t i = 1; i < rooms.size(); ++i) {
    if (rooms[i].begin < rooms[i - 1].end) return "its sections of fat binaries overlap";
  }
  for (const Room& room : rooms) {
    for (const Room& other : others) {
      if (other.begin < room.end && room.begin < other.end)
        return "its fat binaries lie across other sections";
    }
    const auto first = std::ranges::upper_bound(pointed, room.begin);
    if (first != pointed.end() && *first < room.end)
      return fmt::format("something in it points into a fat binary, at offset {}", *first);
  }
  return {};
}

}  // namespace

Result<SlimCode> slim_code(Bytes file, Gpus gpus) {
  SlimCode code;
  code.left = TRY(read_gpu_code(file));
  if (code.left.groups.empty()) return code;
  const std::optional<ElfView> elf = TRY(open_elf(file));
  const GpuCode before = code.left;
  std::vector<Room> rooms, others;
  Slimmer slimmer(gpus, code);
  const auto look = [&](const ElfSection& section) -> Result<void> {
    if (section.name != ".nv_fatbin") {
      others.push_back({section.offset, section.offset + section.size});
      return {};
    }
    const Bytes bytes = TRY(section_bytes(*elf, section));
    return visit_fat_binaries(bytes, [&](const FatContainerView& container) -> Result<void> {
      const std::uint64_t begin = section.offset + container.offset;
      rooms.push_back({begin, begin + container.header_bytes + container.body_bytes});
      slimmer.add_section(section.offset, container);
      return {};
    });
  };
  TRY(visit_sections(*elf, look));
  const std::vector<std::uint64_t> pointed = TRY(find_pointed_places(*elf));
  code.problem = find_trouble(rooms, others, pointed);
  if (code.problem.empty()) return code;
  code.pieces.clear();
  code.left = before;
  return code;
}

}  // namespace slipway::gpu
