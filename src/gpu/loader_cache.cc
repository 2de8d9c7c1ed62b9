#include "gpu/loader_cache.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

namespace slipway::gpu {
namespace {

static_assert(std::endian::native == std::endian::little);

// The file of before glibc 2.2 may stand in front: its header, and entries of 12 bytes.
constexpr std::string_view kOldMagic = "ld.so-1.7.0";
constexpr std::size_t kOldCountAt = 12;
constexpr std::size_t kOldHeader = 16;
constexpr std::size_t kOldEntry = 12;

constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr std::size_t kCountAt = 20;
constexpr std::size_t kStringsSizeAt = 24;
constexpr std::size_t kFlagsAt = 28;
constexpr std::size_t kExtensionAt = 32;
constexpr std::size_t kHeader = 48;
constexpr std::size_t kEntry = 24;
constexpr unsigned kByteOrderMask = 3;
constexpr unsigned kByteOrderUnsaid = 0;
constexpr unsigned kLittleEndian = 2;

constexpr std::uint32_t kExtensionMagic = 0xeaa42174;
constexpr std::size_t kExtensionHeader = 8;
constexpr std::size_t kSection = 16;
enum class SectionTag : std::uint32_t { Generator = 0, Subfolders = 1 };

// Far more than any distribution has.
constexpr std::size_t kMostEntries = 1'000'000;

template <typename T>
T number_at(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <typename T>
void append_number(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

Error bad_cache(std::string_view why) {
  return make_error(ErrorKind::InvalidInput, "the loader's cache cannot be read")
      .reason(std::string(why));
}

bool holds(std::string_view bytes, std::uint64_t at, std::uint64_t size) {
  return at <= bytes.size() && size <= bytes.size() - at;
}

Result<std::string> text_at(std::string_view bytes, std::size_t at) {
  const std::size_t end = at < bytes.size() ? bytes.find('\0', at) : std::string_view::npos;
  if (end == std::string_view::npos) return bad_cache("a name lies outside it");
  return std::string(bytes.substr(at, end - at));
}

/// Where the present format begins.
Result<std::size_t> find_start(std::string_view bytes) {
  std::size_t start = 0;
  if (bytes.starts_with(kOldMagic) && bytes.size() >= kOldHeader) {
    const std::uint64_t count = number_at<std::uint32_t>(bytes, kOldCountAt);
    const std::uint64_t end = kOldHeader + count * kOldEntry;
    start = static_cast<std::size_t>((end + 7) / 8 * 8);
  }
  if (!holds(bytes, start, kHeader) || !bytes.substr(start).starts_with(kMagic)) {
    return bad_cache("it is in no format that glibc writes");
  }
  return start;
}

/// Offsets in extensions count from the file's first byte.
Result<void> read_extensions(std::string_view file, std::uint32_t at, LoaderCache& cache) {
  if (at == 0) return {};
  if (!holds(file, at, kExtensionHeader)) return bad_cache("its extensions lie outside it");
  // Others may follow one day, and are not ours to judge.
  if (number_at<std::uint32_t>(file, at) != kExtensionMagic) return {};
  const std::uint64_t count = number_at<std::uint32_t>(file, at + 4);
  if (!holds(file, at + kExtensionHeader, count * kSection)) {
    return bad_cache("its extensions lie outside it");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t section = at + kExtensionHeader + i * kSection;
    const auto tag = static_cast<SectionTag>(number_at<std::uint32_t>(file, section));
    const auto offset = number_at<std::uint32_t>(file, section + 8);
    const auto size = number_at<std::uint32_t>(file, section + 12);
    if (!holds(file, offset, size)) return bad_cache("a section lies outside it");
    if (tag == SectionTag::Generator) cache.generator = file.substr(offset, size);
    if (tag != SectionTag::Subfolders) continue;
    for (std::size_t place = 0; place + 4 <= size; place += 4) {
      cache.subfolders.push_back(
          TRY(text_at(file, number_at<std::uint32_t>(file, offset + place))));
    }
  }
  return {};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_number(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

/// The order by which the loader halves its search (glibc's _dl_cache_libcmp): numbers by value,
/// and above every other character. Below 0, 0, above 0.
int compare_names(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) != is_digit(b[0])) return is_digit(a[0]) ? 1 : -1;
    if (is_digit(a[0])) {
      const std::string_view left = take_number(a);
      const std::string_view right = take_number(b);
      if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
      if (const int order = left.compare(right)) return order;
    } else {
      if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  // A digit that goes on is above the end, and so is everything else.
  return a.empty() ? (b.empty() ? 0 : -1) : 1;
}

/// Texts one after another, each once, and where they lie.
class Strings {
 public:
  explicit Strings(std::size_t start) : start_(start) {}
  std::uint32_t place(const std::string& text) {
    const auto [known, is_new] =
        places_.emplace(text, static_cast<std::uint32_t>(start_ + bytes_.size()));
    if (is_new) bytes_.append(text).push_back('\0');
    return known->second;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::size_t start_;
  std::string bytes_;
  std::map<std::string, std::uint32_t> places_;
};

std::string write_extensions(const LoaderCache& cache,
                             const std::vector<std::uint32_t>& subfolder_places,
                             std::size_t start) {
  struct Section {
    SectionTag tag;
    std::string bytes;
  };
  std::vector<Section> sections;
  if (!subfolder_places.empty()) {
    Section section{SectionTag::Subfolders, {}};
    for (const std::uint32_t place : subfolder_places) append_number(section.bytes, place);
    sections.push_back(std::move(section));
  }
  if (!cache.generator.empty()) sections.push_back({SectionTag::Generator, cache.generator});
  std::string bytes;
  append_number(bytes, kExtensionMagic);
  append_number(bytes, static_cast<std::uint32_t>(sections.size()));
  std::size_t place = start + kExtensionHeader + sections.size() * kSection;
  for (const Section& section : sections) {
    append_number(bytes, section.tag);
    append_number(bytes, std::uint32_t{0});
    append_number(bytes, static_cast<std::uint32_t>(place));
    append_number(bytes, static_cast<std::uint32_t>(section.bytes.size()));
    place += section.bytes.size();
  }
  for (const Section& section : sections) bytes += section.bytes;
  return bytes;
}

}  // namespace

Result<LoaderCache> parse_loader_cache(std::string_view bytes) {
  const std::string_view data = bytes.substr(TRY(find_start(bytes)));
  const unsigned order = static_cast<unsigned char>(data[kFlagsAt]) & kByteOrderMask;
  if (order != kByteOrderUnsaid && order != kLittleEndian) {
    return bad_cache("it is for machines of the other byte order");
  }
  const std::uint64_t count = number_at<std::uint32_t>(data, kCountAt);
  if (count > kMostEntries || !holds(data, kHeader, count * kEntry)) {
    return bad_cache(fmt::format("it is cut off: {} libraries are announced", count));
  }
  LoaderCache cache;
  cache.entries.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = kHeader + i * kEntry;
    LoaderCacheEntry entry;
    entry.flags = number_at<std::int32_t>(data, at);
    entry.name = TRY(text_at(data, number_at<std::uint32_t>(data, at + 4)));
    entry.path = TRY(text_at(data, number_at<std::uint32_t>(data, at + 8)));
    entry.os_version = number_at<std::uint32_t>(data, at + 12);
    entry.capabilities = number_at<std::uint64_t>(data, at + 16);
    cache.entries.push_back(std::move(entry));
  }
  TRY(read_extensions(bytes, number_at<std::uint32_t>(data, kExtensionAt), cache));
  return cache;
}

std::string write_loader_cache(const LoaderCache& cache) {
  std::vector<LoaderCacheEntry> entries = cache.entries;
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return compare_names(a.name, b.name) > 0; });
  Strings strings(kHeader + entries.size() * kEntry);
  std::string table;
  for (const LoaderCacheEntry& entry : entries) {
    append_number(table, entry.flags);
    append_number(table, strings.place(entry.name));
    append_number(table, strings.place(entry.path));
    append_number(table, entry.os_version);
    append_number(table, entry.capabilities);
  }
  std::vector<std::uint32_t> subfolder_places;
  for (const std::string& name : cache.subfolders) subfolder_places.push_back(strings.place(name));
  const std::size_t strings_end = kHeader + table.size() + strings.bytes().size();
  const std::size_t extensions_at = (strings_end + 3) / 4 * 4;
  const bool is_extended = !cache.subfolders.empty() || !cache.generator.empty();

  std::string bytes(kMagic);
  append_number(bytes, static_cast<std::uint32_t>(entries.size()));
  append_number(bytes, static_cast<std::uint32_t>(strings.bytes().size()));
  append_number(bytes, std::uint32_t{kLittleEndian});
  append_number(bytes, static_cast<std::uint32_t>(is_extended ? extensions_at : 0));
  bytes.resize(kHeader);
  bytes += table;
  bytes += strings.bytes();
  if (!is_extended) return bytes;
  bytes.resize(extensions_at);
  return bytes + write_extensions(cache, subfolder_places, extensions_at);
}

std::int32_t library_flags() {
  constexpr std::int32_t kGlibc = 3;  // FLAG_ELF_LIBC6
#if defined(__aarch64__)
  return kGlibc | 0x0a00;  // FLAG_AARCH64_LIB64
#else
  return kGlibc | 0x0300;  // FLAG_X8664_LIB64
#endif
}

void lead_to_files(LoaderCache& cache, const std::vector<LoaderLead>& leads) {
  std::map<std::string, std::string> ours;
  for (const LoaderLead& lead : leads) ours.emplace(lead.name, lead.path);
  std::erase_if(cache.entries, [&](const LoaderCacheEntry& entry) {
    return entry.flags == library_flags() && ours.contains(entry.name);
  });
  for (const auto& [name, path] : ours) {
    cache.entries.push_back({name, path, library_flags(), 0, 0});
  }
}

void lead_to_folder(LoaderCache& cache, const std::string& folder,
                    const std::vector<std::string>& names) {
  std::vector<LoaderLead> leads;
  for (const std::string& name : names) leads.push_back({name, folder + "/" + name});
  lead_to_files(cache, leads);
}

}  // namespace slipway::gpu
