#include "gpu/compat_library.h"

#include <elf.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "gpu/elf_view.h"

namespace slipway::gpu {
namespace {

constexpr std::string_view kSection = ".note.cuda.fwd_compatibility";
constexpr std::string_view kMaker = "NVIDIA Corporation";
constexpr std::uint64_t kNoteHeader = 12;  // elf(5), Elf64_Nhdr
constexpr std::uint64_t kMostNoteBytes = 64 << 10;

Error bad_note(std::string_view what) {
  return make_error(ErrorKind::Corrupt, "the note in its libcuda cannot be read: {}", what);
}

std::vector<int> numbers_of(const nlohmann::json& json, const char* key) {
  std::vector<int> numbers;
  const auto list = json.find(key);
  if (list == json.end() || !list->is_array()) return numbers;
  for (const auto& one : *list) {
    if (one.is_number_integer()) numbers.push_back(one.get<int>());
  }
  return numbers;
}

Result<CompatNote> parse_note(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return bad_note("it is no JSON object");
  CompatNote note;
  if (const auto cuda = json.find("CUDA Version"); cuda != json.end() && cuda->is_string()) {
    note.cuda = cuda->get<std::string>();
    const bool is_version =
        note.cuda.size() < 16 && note.cuda.find_first_not_of("0123456789.") == std::string::npos;
    if (!is_version) return bad_note("its CUDA version is none");
  }
  note.branches = numbers_of(json, "Driver");
  note.brands = numbers_of(json, "Device");
  if (note.branches.empty()) return bad_note("it names no driver");
  return note;
}

/// The first note of the section. Nothing where somebody else made it.
Result<std::optional<CompatNote>> read_note(const ElfView& elf, const ElfSection& section) {
  const ElfView note(TRY(section_bytes(elf, section)), elf.is_64bit(), elf.is_little());
  const auto name_bytes = note.number<std::uint32_t>(0), text_bytes = note.number<std::uint32_t>(4);
  if (!name_bytes || !text_bytes) return bad_note("it is cut short");
  const std::uint64_t size = note.bytes().size();
  if (size > kMostNoteBytes) return bad_note("it is too large");
  // NVIDIA's reader pads the name to what the section says of itself.
  const std::uint64_t step =
      section.alignment >= 1 && section.alignment <= 8 ? section.alignment : 4;
  const std::uint64_t text_at = kNoteHeader + (std::uint64_t{*name_bytes} + step - 1) / step * step;
  if (text_at > size) return bad_note("it is cut short");
  std::string_view name = as_text(note.bytes().subspan(kNoteHeader, text_at - kNoteHeader));
  name = name.substr(0, name.find('\0'));
  if (name != kMaker) return std::optional<CompatNote>();
  // Some of NVIDIA's are shorter than they say by the padding at their end.
  std::string_view text =
      as_text(note.bytes().subspan(text_at, std::min<std::uint64_t>(*text_bytes, size - text_at)));
  text = text.substr(0, text.find('\0'));
  return std::optional(TRY(parse_note(text)));
}

}  // namespace

Result<std::optional<CompatNote>> read_compat_note(Bytes bytes) {
  std::optional<CompatNote> note;
  const std::optional<ElfView> elf = TRY(open_elf(bytes));
  if (!elf) return note;
  bool is_found = false;
  const auto look = [&](const ElfSection& section) -> Result<void> {
    if (is_found || section.type != SHT_NOTE || section.name != kSection) return {};
    is_found = true;
    note = TRY(read_note(*elf, section));
    return {};
  };
  (void)TRY(visit_sections(*elf, look));
  return note;
}

std::optional<CompatLibrary> read_compat_library(int fd) {
  const Result<MappedFile> file = MappedFile::of(fd);
  if (!file.ok()) return std::nullopt;
  const auto facts = read_elf(file->bytes());
  if (!facts.ok() || !*facts || (*facts)->machine != kThisMachine) return std::nullopt;
  CompatLibrary library{(*facts)->soname, {}, {}};
  auto note = read_compat_note(file->bytes());
  if (note.ok()) {
    library.note = std::move(*note);
  } else {
    library.note_problem = note.error().message;
  }
  return library;
}

}  // namespace slipway::gpu
