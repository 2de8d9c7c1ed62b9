#include "gpu/fat_binary.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "gpu/elf_view.h"
#include "gpu/fat_entries.h"

namespace slipway::gpu {
namespace {

class CodeSums {
 public:
  void add(const FatEntry& entry) {
    if (entry.kind == FatEntry::Kind::Other) return;
    const bool is_ptx = entry.kind == FatEntry::Kind::Ptx;
    Sum& sum = sums_[{is_ptx ? CodeKind::Ptx : CodeKind::Sass, entry.target}];
    sum.ptx = std::max(sum.ptx, {entry.ptx_major, entry.ptx_minor});
    ++sum.count;
    sum.bytes += entry.payload_bytes;
  }

  std::vector<CodeGroup> groups() const {
    std::vector<CodeGroup> groups;
    for (const auto& [key, sum] : sums_) {
      CodeGroup group{std::get<0>(key), std::get<1>(key), "", sum.count, sum.bytes};
      if (group.kind == CodeKind::Ptx)
        group.ptx_version = fmt::format("{}.{}", sum.ptx.first, sum.ptx.second);
      groups.push_back(std::move(group));
    }
    return groups;
  }

 private:
  struct Sum {
    std::pair<int, int> ptx;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;
  };
  std::map<std::tuple<CodeKind, CodeTarget>, Sum> sums_;
};

void append(std::vector<CodeGroup>& all, std::vector<CodeGroup> more) {
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end());
}

}  // namespace

Result<std::vector<CodeGroup>> read_fat_binaries(Bytes section) {
  CodeSums sums;
  TRY(visit_fat_binaries(section, [&](const FatContainerView& container) -> Result<void> {
    for (const FatEntry& entry : container.entries) sums.add(entry);
    return {};
  }));
  return sums.groups();
}

Result<GpuCode> read_gpu_code(Bytes file) {
  GpuCode code;
  const std::optional<ElfView> elf = TRY(open_elf(file));
  if (!elf) return code;
  const auto take = [&](const ElfSection& section) -> Result<void> {
    if (section.name == ".nv_fatbin") {
      const Bytes bytes = TRY(section_bytes(*elf, section));
      append(code.groups, TRY(read_fat_binaries(bytes)));
    } else if (section.name == "__nv_relfatbin") {
      const Bytes bytes = TRY(section_bytes(*elf, section));
      append(code.relocatable, TRY(read_fat_binaries(bytes)));
    }
    return {};
  };
  const bool has_sections = TRY(visit_sections(*elf, take));
  if (has_sections) return code;
  const std::optional<ElfFacts> facts = TRY(read_elf(file));
  for (const std::string& library : facts->needed) {
    if (library.starts_with("libcudart.so") || library.starts_with("libcuda.so"))
      code.problem = "it has no section headers, by which its GPU code would be found";
  }
  return code;
}

}  // namespace slipway::gpu
