#include "gpu/testing/elf_writer.h"

#include <elf.h>

#include <cstdint>

namespace slipway::gpu {
namespace {

constexpr std::uint64_t kBase = kElfBase;

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

/// .gnu.version_r, one record a library; `name_of` puts a string into the table.
template <typename NameOf>
std::string make_needed(const ElfFacts& facts, ByteOrder order, NameOf name_of) {
  std::vector<std::pair<std::string, std::vector<NeededVersion>>> files;
  for (const NeededVersion& one : facts.needed_versions) {
    if (files.empty() || files.back().first != one.library) files.push_back({one.library, {}});
    files.back().second.push_back(one);
  }
  Writer out(facts.is_64bit, order);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& [library, versions] = files[i];
    out.number(1, 2);
    out.number(versions.size(), 2);
    out.number(name_of(library), 4);
    out.number(16, 4);
    out.number(i + 1 == files.size() ? 0 : 16 + 16 * versions.size(), 4);
    for (std::size_t k = 0; k < versions.size(); ++k) {
      out.number(0, 4);
      out.number(versions[k].weak ? VER_FLG_WEAK : 0, 2);
      out.number(2, 2);
      out.number(name_of(versions[k].version), 4);
      out.number(k + 1 == versions.size() ? 0 : 16, 4);
    }
  }
  return out.text;
}

/// .gnu.version_d, the file's own name first.
template <typename NameOf>
std::string make_defined(const ElfFacts& facts, ByteOrder order, NameOf name_of) {
  Writer out(facts.is_64bit, order);
  std::vector<std::string> names = facts.defined_versions;
  if (!names.empty()) names.insert(names.begin(), facts.soname);
  for (std::size_t i = 0; i < names.size(); ++i) {
    out.number(1, 2);
    out.number(i == 0 ? VER_FLG_BASE : 0, 2);
    out.number(i + 1, 2);
    out.number(1, 2);
    out.number(0, 4);
    out.number(20, 4);
    out.number(i + 1 == names.size() ? 0 : 28, 4);
    out.number(name_of(names[i]), 4);
    out.number(0, 4);
  }
  return out.text;
}

/// Appends the sections, their names and headers, and fills in the header's three numbers.
std::string add_sections(std::string file, const std::map<std::string, std::string>& sections,
                         bool is_64bit, ByteOrder order) {
  struct Header {
    std::uint64_t name, type, offset, bytes;
  };
  std::string names(1, '\0');
  std::vector<Header> headers = {{0, SHT_NULL, 0, 0}};
  for (const auto& [name, bytes] : sections) {
    file.resize((file.size() + 7) / 8 * 8);
    const std::uint64_t type = name.starts_with(".rela") ? SHT_RELA : SHT_PROGBITS;
    headers.push_back({names.size(), type, file.size(), bytes.size()});
    names += name + '\0';
    file += bytes;
  }
  headers.push_back({names.size(), SHT_STRTAB, file.size(), names.size() + 10});
  file += names + ".shstrtab" + '\0';
  Writer out(is_64bit, order);
  for (const Header& header : headers) {
    out.number(header.name, 4);
    out.number(header.type, 4);
    out.word(0);
    out.word(0);
    out.word(header.offset);
    out.word(header.bytes);
    out.number(0, 8);
    out.word(8);
    out.word(0);
  }
  Writer where(is_64bit, order), counts(is_64bit, order);
  where.word(file.size());
  for (const std::uint64_t value :
       {std::uint64_t{is_64bit ? 64U : 40U}, std::uint64_t{headers.size()}, headers.size() - 1})
    counts.number(value, 2);
  file.replace(is_64bit ? 40 : 32, where.text.size(), where.text);
  file.replace(is_64bit ? 58 : 46, counts.text.size(), counts.text);
  return file + out.text;
}

}  // namespace

std::string make_elf(const ElfFacts& facts, ByteOrder order,
                     const std::map<std::string, std::string>& sections) {
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
  const auto intern = [&strings](const std::string& text) {
    const std::size_t at = strings.size();
    strings += text + '\0';
    return at;
  };
  const std::string needed = make_needed(facts, order, intern);
  const std::string defined = make_defined(facts, order, intern);
  const std::size_t interpreter_at = strings.size();
  strings += facts.interpreter + '\0';

  const std::uint64_t header = facts.is_64bit ? 64 : 52, entry = facts.is_64bit ? 56 : 32;
  const std::uint64_t step = facts.is_64bit ? 16 : 8;
  const std::uint64_t count = facts.interpreter.empty() ? 2 : 3;
  const std::uint64_t dynamic = header + count * entry;
  const std::uint64_t version_entries = (needed.empty() ? 0 : 2) + (defined.empty() ? 0 : 2);
  const std::uint64_t dynamic_bytes = (entries.size() + 3 + version_entries) * step;
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
  out.program_header(PT_LOAD, 0, table + strings.size() + needed.size() + defined.size());
  if (count == 3)
    out.program_header(PT_INTERP, table + interpreter_at, facts.interpreter.size() + 1);
  out.program_header(PT_DYNAMIC, dynamic, dynamic_bytes);
  entries.emplace_back(DT_STRTAB, table + kBase);
  entries.emplace_back(DT_STRSZ, strings.size());
  if (!needed.empty()) {
    entries.emplace_back(DT_VERNEED, table + strings.size() + kBase);
    entries.emplace_back(DT_VERNEEDNUM, 4096);
  }
  if (!defined.empty()) {
    entries.emplace_back(DT_VERDEF, table + strings.size() + needed.size() + kBase);
    entries.emplace_back(DT_VERDEFNUM, facts.defined_versions.size() + 1);
  }
  entries.emplace_back(DT_NULL, 0);
  for (const auto& [tag, value] : entries) {
    out.word(tag);
    out.word(value);
  }
  std::string file = out.text + strings + needed + defined;
  if (sections.empty()) return file;
  return add_sections(std::move(file), sections, facts.is_64bit, order);
}

}  // namespace slipway::gpu
