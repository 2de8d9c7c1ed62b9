#include "gpu/testing/elf_writer.h"

#include <elf.h>

#include <cstdint>

namespace slipway::gpu {
namespace {

constexpr std::uint64_t kBase = 0x10000;  ///< what addresses have over file offsets

class Writer {
 public:
  Writer(bool is_64bit, ByteOrder order) : is_64bit_(is_64bit), order_(order) {}
  void number(std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::size_t shift = order_ == ByteOrder::Little ? i : bytes - 1 - i;
      text += static_cast<char>((value >> (8 * shift)) & 0xff);
    }
  }
  void word(std::uint64_t value) { number(value, is_64bit_ ? 8 : 4); }
  void program_header(std::uint32_t type, std::uint64_t offset, std::uint64_t size) {
    number(type, 4);
    if (is_64bit_) number(PF_R, 4);
    word(offset);
    word(offset + kBase);
    word(offset + kBase);
    word(size);
    word(size);
    if (!is_64bit_) number(PF_R, 4);
    word(1);
  }
  std::string text;

 private:
  bool is_64bit_;
  ByteOrder order_;
};

std::string join(const std::vector<std::string>& folders) {
  return fmt::format("{}", fmt::join(folders, ":"));
}

}  // namespace

std::string make_elf(const ElfFacts& facts, ByteOrder order) {
  std::string strings(1, '\0');
  std::vector<std::pair<std::uint64_t, std::uint64_t>> entries;
  const auto name = [&](std::uint64_t tag, const std::string& text) {
    if (text.empty()) return;
    entries.emplace_back(tag, strings.size());
    strings += text + '\0';
  };
  for (const std::string& needed : facts.needed) name(DT_NEEDED, needed);
  name(DT_SONAME, facts.soname);
  name(DT_RPATH, join(facts.rpath));
  name(DT_RUNPATH, join(facts.runpath));
  const std::size_t interpreter_at = strings.size();
  strings += facts.interpreter + '\0';

  const std::uint64_t header = facts.is_64bit ? 64 : 52, entry = facts.is_64bit ? 56 : 32;
  const std::uint64_t step = facts.is_64bit ? 16 : 8;
  const std::uint64_t count = facts.interpreter.empty() ? 2 : 3;
  const std::uint64_t dynamic = header + count * entry;
  const std::uint64_t dynamic_bytes = (entries.size() + 3) * step;
  const std::uint64_t table = dynamic + dynamic_bytes;

  Writer out(facts.is_64bit, order);
  out.text = std::string(ELFMAG, SELFMAG);
  out.number(facts.is_64bit ? ELFCLASS64 : ELFCLASS32, 1);
  out.number(order == ByteOrder::Little ? ELFDATA2LSB : ELFDATA2MSB, 1);
  out.number(EV_CURRENT, 1);
  out.text += std::string(9, '\0');
  out.number(ET_DYN, 2);
  out.number(static_cast<std::uint64_t>(facts.machine), 2);
  out.number(EV_CURRENT, 4);
  for (const std::uint64_t value : {std::uint64_t{0}, header, std::uint64_t{0}}) out.word(value);
  out.number(0, 4);
  for (const std::uint64_t value : {header, entry, count}) out.number(value, 2);
  for (int i = 0; i < 3; ++i) out.number(0, 2);
  out.program_header(PT_LOAD, 0, table + strings.size());
  if (count == 3)
    out.program_header(PT_INTERP, table + interpreter_at, facts.interpreter.size() + 1);
  out.program_header(PT_DYNAMIC, dynamic, dynamic_bytes);
  entries.emplace_back(DT_STRTAB, table + kBase);
  entries.emplace_back(DT_STRSZ, strings.size());
  entries.emplace_back(DT_NULL, 0);
  for (const auto& [tag, value] : entries) {
    out.word(tag);
    out.word(value);
  }
  return out.text + strings;
}

}  // namespace slipway::gpu
