#include "gpu/fat_binary.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "gpu/elf_view.h"

namespace slipway::gpu {
namespace {

constexpr std::uint32_t kMagic = 0xba55ed50;
constexpr std::uint16_t kVersion = 1, kPtx = 1, kSass = 2;
constexpr std::uint64_t kContainerBytes = 16, kEntryBytes = 64;
constexpr std::uint64_t kExactFlag = 0x100000;
constexpr std::uint64_t kMostPadding = 4096;
constexpr std::uint32_t kMostEntries = 1 << 22;

Error lie(std::uint64_t offset, std::string_view what) {
  return make_error(ErrorKind::Corrupt, "fat binary at offset {}: {}", offset, what);
}

using Key = std::tuple<CodeKind, CodeTarget>;

struct Sum {
  int ptx_major = 0, ptx_minor = 0;
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;
};

class Reader {
 public:
  explicit Reader(Bytes section) : view_(section, true, true), size_(section.size()) {}

  Result<std::vector<CodeGroup>> run() {
    std::uint64_t padding = 0;
    for (std::uint64_t at = 0; size_ - at >= 8;) {
      // Containers are aligned; what lies between them is zero.
      if (number<std::uint64_t>(at) == 0 && padding < kMostPadding) {
        at += 8;
        padding += 8;
        continue;
      }
      padding = 0;
      TRY(read_container(at));
    }
    std::vector<CodeGroup> groups;
    for (const auto& [key, sum] : sums_) {
      CodeGroup group{std::get<0>(key), std::get<1>(key), "", sum.count, sum.bytes};
      if (group.kind == CodeKind::Ptx)
        group.ptx_version = fmt::format("{}.{}", sum.ptx_major, sum.ptx_minor);
      groups.push_back(std::move(group));
    }
    return groups;
  }

 private:
  /// Only for offsets that were checked.
  template <typename T>
  T number(std::uint64_t offset) const {
    return view_.number<T>(offset).value_or(T());
  }

  Result<void> read_container(std::uint64_t& at) {
    if (size_ - at < kContainerBytes) return lie(at, "a header is cut short");
    if (number<std::uint32_t>(at) != kMagic) return lie(at, "it does not begin as one");
    if (number<std::uint16_t>(at + 4) != kVersion) return lie(at, "an unknown version");
    const std::uint64_t header = number<std::uint16_t>(at + 6);
    const std::uint64_t body = number<std::uint64_t>(at + 8);
    if (header < kContainerBytes || header > size_ - at)
      return lie(at, "a header of a strange size");
    if (body > size_ - at - header)
      return lie(at,
                 fmt::format("it claims {} bytes where {} are left", body, size_ - at - header));
    const std::uint64_t end = at + header + body;
    for (std::uint64_t entry = at + header; entry < end;) TRY(read_entry(entry, end));
    at = end;
    return {};
  }

  Result<void> read_entry(std::uint64_t& at, std::uint64_t end) {
    if (end - at < kEntryBytes) return lie(at, "an entry is cut short");
    const auto kind = number<std::uint16_t>(at);
    const std::uint64_t header = number<std::uint32_t>(at + 4);
    const std::uint64_t payload = number<std::uint64_t>(at + 8);
    if (header < kEntryBytes || header > end - at)
      return lie(at, fmt::format("an entry's header claims {} bytes", header));
    if (payload > end - at - header)
      return lie(at, fmt::format("an entry claims {} bytes where {} are left", payload,
                                 end - at - header));
    if (number<std::uint32_t>(at + 16) > payload)
      return lie(at, "an entry's compressed size is larger than its room");
    if (++entries_ > kMostEntries) return lie(at, "more than four million entries");
    if (kind == kPtx || kind == kSass) TRY(note(at, kind, payload));
    at += header + payload;
    return {};
  }

  Result<void> note(std::uint64_t at, std::uint16_t kind, std::uint64_t payload) {
    const auto architecture = number<std::uint32_t>(at + 28);
    const auto flags = number<std::uint64_t>(at + 40);
    if (architecture < 10 || architecture > 999)
      return lie(at, fmt::format("an entry for architecture {}", architecture));
    CodeTarget target;
    target.capability = {static_cast<int>(architecture / 10), static_cast<int>(architecture % 10)};
    if ((flags & kExactFlag) != 0) target.variant = CodeVariant::Exact;
    Sum& sum = sums_[{kind == kPtx ? CodeKind::Ptx : CodeKind::Sass, target}];
    const int minor = number<std::uint16_t>(at + 24), major = number<std::uint16_t>(at + 26);
    if (std::tie(major, minor) > std::tie(sum.ptx_major, sum.ptx_minor)) {
      sum.ptx_major = major;
      sum.ptx_minor = minor;
    }
    ++sum.count;
    sum.bytes += payload;
    return {};
  }

  ElfView view_;
  std::uint64_t size_;
  std::uint32_t entries_ = 0;
  std::map<Key, Sum> sums_;
};

/// Where the section headers are: gABI chapter 4, "ELF header".
void append(std::vector<CodeGroup>& all, std::vector<CodeGroup> more) {
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end());
}

}  // namespace

Result<std::vector<CodeGroup>> read_fat_binaries(Bytes section) { return Reader(section).run(); }

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
