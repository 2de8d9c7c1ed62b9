#include "gpu/fat_entries.h"

#include <vector>

#include "gpu/elf_view.h"

namespace slipway::gpu {
namespace {

constexpr std::uint32_t kMagic = 0xba55ed50;
constexpr std::uint16_t kVersion = 1, kPtx = 1, kSass = 2;
constexpr std::uint64_t kContainerBytes = 16, kEntryBytes = 64;
constexpr std::uint64_t kExactFlag = 0x100000;
/// Behind a container that `slipway slim` made smaller all of its old room is zero.
constexpr std::uint64_t kMostPadding = 1 << 30;
constexpr std::uint32_t kMostEntries = 1 << 22;

Error lie(std::uint64_t offset, std::string_view what) {
  return make_error(ErrorKind::Corrupt, "fat binary at offset {}: {}", offset, what);
}

class Reader {
 public:
  using Visit = std::function<Result<void>(const FatContainerView&)>;
  Reader(Bytes section, const Visit& visit)
      : view_(section, true, true), size_(section.size()), visit_(visit) {}

  Result<void> run() {
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
    return {};
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
    entries_.clear();
    for (std::uint64_t entry = at + header; entry < end;) TRY(read_entry(entry, end));
    const FatContainerView container{at, header, body, entries_};
    at = end;
    return visit_(container);
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
    if (++count_ > kMostEntries) return lie(at, "more than four million entries");
    FatEntry entry;
    entry.offset = at;
    entry.header_bytes = header;
    entry.payload_bytes = payload;
    if (kind == kPtx || kind == kSass) TRY(read_code(at, kind, entry));
    entries_.push_back(entry);
    at += header + payload;
    return {};
  }

  Result<void> read_code(std::uint64_t at, std::uint16_t kind, FatEntry& entry) const {
    const auto architecture = number<std::uint32_t>(at + 28);
    if (architecture < 10 || architecture > 999)
      return lie(at, fmt::format("an entry for architecture {}", architecture));
    entry.kind = kind == kPtx ? FatEntry::Kind::Ptx : FatEntry::Kind::Sass;
    entry.target.capability = {static_cast<int>(architecture / 10),
                               static_cast<int>(architecture % 10)};
    if ((number<std::uint64_t>(at + 40) & kExactFlag) != 0)
      entry.target.variant = CodeVariant::Exact;
    entry.ptx_minor = number<std::uint16_t>(at + 24);
    entry.ptx_major = number<std::uint16_t>(at + 26);
    return {};
  }

  ElfView view_;
  std::uint64_t size_;
  const Visit& visit_;
  std::uint32_t count_ = 0;
  std::vector<FatEntry> entries_;
};

}  // namespace

Result<void> visit_fat_binaries(Bytes section,
                                const std::function<Result<void>(const FatContainerView&)>& visit) {
  return Reader(section, visit).run();
}

}  // namespace slipway::gpu
