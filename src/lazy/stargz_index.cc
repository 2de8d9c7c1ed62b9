#include "lazy/stargz_index.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/base64.h"
#include "base/io.h"
#include "base/utc_time.h"
#include "layer/decompress.h"
#include "layer/stargz_toc.h"
#include "layer/tar_stream.h"

namespace slipway::lazy {
namespace {

using Json = nlohmann::json;
using Kind = layer::TarItem::Kind;

constexpr std::uint64_t kMostIndexBytes = 64ULL << 20U;

Error corrupt(std::string_view why) {
  return make_error(ErrorKind::Corrupt, "table of contents {}", why);
}

/// Without a `/` at either end; nothing for a path that no tree can hold.
std::optional<std::string> clean_path(std::string_view name) {
  std::string path;
  while (!name.empty()) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    name.remove_prefix(std::min(slash + 1, name.size()));
    if (part.empty() || part == ".") continue;
    if (part == ".." || part.find('\0') != part.npos || part.size() > 255) return std::nullopt;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

std::optional<Kind> kind_of(std::string_view type) {
  if (type == "reg") return Kind::File;
  if (type == "dir") return Kind::Folder;
  if (type == "symlink") return Kind::Link;
  if (type == "hardlink") return Kind::HardLink;
  if (type == "fifo") return Kind::Fifo;
  if (type == "char" || type == "block") return Kind::Device;
  return std::nullopt;
}

/// The members of one entry; a wrong type makes the whole table corrupt.
class EntryReader {
 public:
  explicit EntryReader(const Json& json) : json_(json) {}

  std::string text(const char* key) {
    const auto found = json_.find(key);
    if (found == json_.end()) return {};
    if (!found->is_string()) return bad(key), std::string();
    return found->get<std::string>();
  }
  std::uint64_t number(const char* key, std::uint64_t most) {
    const auto found = json_.find(key);
    if (found == json_.end()) return 0;
    if (!found->is_number_unsigned() || found->get<std::uint64_t>() > most) return bad(key), 0;
    return found->get<std::uint64_t>();
  }
  std::map<std::string, std::string> attributes() {
    std::map<std::string, std::string> attributes;
    const auto found = json_.find("xattrs");
    if (found == json_.end() || found->is_null()) return attributes;
    if (!found->is_object()) return bad("xattrs"), attributes;
    for (const auto& [name, value] : found->items()) {
      const auto bytes = value.is_string() ? decode_base64(value.get<std::string>()) : std::nullopt;
      if (!bytes) return bad("xattrs"), attributes;
      attributes.emplace(name, *bytes);
    }
    return attributes;
  }
  bool has(const char* key) const { return json_.contains(key); }
  const std::string& problem() const { return problem_; }

 private:
  void bad(const char* key) {
    if (problem_.empty()) problem_ = fmt::format("has a `{}` that makes no sense", key);
  }
  const Json& json_;
  std::string problem_;
};

/// `.5` of a second, of an RFC 3339 time, is 500000000.
std::uint32_t nanoseconds_in(std::string_view time) {
  std::uint32_t nanoseconds = 0;
  std::size_t at = std::min(time.find('.'), time.size() - 1) + 1;
  for (std::uint32_t unit = 100'000'000; unit > 0 && at < time.size(); unit /= 10, ++at) {
    if (time[at] < '0' || time[at] > '9') break;
    nanoseconds += unit * static_cast<std::uint32_t>(time[at] - '0');
  }
  return nanoseconds;
}

class IndexReader {
 public:
  explicit IndexReader(std::uint64_t toc_offset) : toc_offset_(toc_offset) {}

  Result<std::vector<Entry>> read(const Json& entries) {
    for (const Json& json : entries) {
      if (!json.is_object()) return corrupt("has an entry that is no object");
      TRY(add(json));
    }
    TRY(set_ends());
    std::erase_if(entries_, [](const Entry& entry) {
      return entry.item.path.empty() || layer::is_stargz_name(entry.item.path);
    });
    return std::move(entries_);
  }

 private:
  Result<void> add(const Json& json) {
    EntryReader reader(json);
    const auto path = clean_path(reader.text("name"));
    const std::string type = reader.text("type");
    const std::uint64_t offset = reader.number("offset", toc_offset_);
    if (offset > 0) offsets_.insert(offset);
    if (!path) return corrupt(fmt::format("has a path `{}`", reader.text("name")));
    if (type == "chunk") {
      if (!reader.problem().empty()) return corrupt(reader.problem());
      if (entries_.empty() || entries_.back().item.path != *path) {
        return corrupt(fmt::format("has a chunk of `{}` that does not follow it", *path));
      }
      last_chunks_[entries_.size() - 1] = offset;
      return {};
    }
    const std::optional<Kind> kind = kind_of(type);
    if (!kind) return corrupt(fmt::format("has `{}` of type `{}`", *path, type));
    Entry entry;
    entry.item.path = *path;
    TRY(fill(reader, *kind, entry.item));
    if (*kind == Kind::File && entry.item.size_bytes > 0) {
      entry.contents = TRY(extent_of(reader, entry.item, offset));
    }
    entries_.push_back(std::move(entry));
    return {};
  }

  static Result<void> fill(EntryReader& reader, Kind kind, layer::TarItem& item) {
    item.kind = kind;
    item.target = reader.text("linkName");
    if (kind == Kind::HardLink) {
      const auto target = clean_path(item.target);
      if (!target) return corrupt(fmt::format("has a link to `{}`", item.target));
      item.target = *target;
    }
    if (kind == Kind::File) item.size_bytes = reader.number("size", INT64_MAX);
    item.mode = static_cast<unsigned>(reader.number("mode", INT64_MAX)) & 07777U;
    item.uid = static_cast<std::uint32_t>(reader.number("uid", UINT32_MAX));
    item.gid = static_cast<std::uint32_t>(reader.number("gid", UINT32_MAX));
    item.attributes = reader.attributes();
    if (const std::string time = reader.text("modtime"); !time.empty()) {
      const auto moment = parse_utc_time(time);
      if (!moment.ok()) return corrupt(fmt::format("has the time `{}`", time));
      item.time_seconds =
          std::chrono::floor<std::chrono::seconds>(*moment).time_since_epoch().count();
      item.time_nanoseconds = nanoseconds_in(time);
    }
    if (!reader.problem().empty()) return corrupt(reader.problem());
    return {};
  }

  static Result<Extent> extent_of(EntryReader& reader, const layer::TarItem& item,
                                  std::uint64_t offset) {
    std::string digest = reader.text("digest");
    if (digest.empty() && !reader.has("chunkSize")) digest = reader.text("chunkDigest");
    const auto parsed = parse_digest(digest);
    if (offset == 0 && !reader.has("offset")) {
      return corrupt(fmt::format("does not say where `{}` lies", item.path));
    }
    if (!parsed.ok()) {
      return make_error(ErrorKind::Unsupported, "table of contents has no sha256 of `{}`",
                        item.path);
    }
    Extent extent{offset, 0, reader.number("innerOffset", INT64_MAX), *parsed};
    if (!reader.problem().empty()) return corrupt(reader.problem());
    return extent;
  }

  /// A file goes on to where the next member that the table knows begins.
  Result<void> set_ends() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      Extent* const extent = std::get_if<Extent>(&entries_[i].contents);
      if (extent == nullptr) continue;
      const auto chunk = last_chunks_.find(i);
      const std::uint64_t last = chunk == last_chunks_.end() ? extent->offset : chunk->second;
      if (last < extent->offset || extent->offset >= toc_offset_) {
        return corrupt(fmt::format("has `{}` outside the layer", entries_[i].item.path));
      }
      const auto next = offsets_.upper_bound(last);
      extent->end = next == offsets_.end() ? toc_offset_ : *next;
    }
    return {};
  }

  std::uint64_t toc_offset_;
  std::vector<Entry> entries_;
  std::set<std::uint64_t> offsets_;
  std::map<std::size_t, std::uint64_t> last_chunks_;  ///< of entries with more than one
};

/// Of a compressed tar.
Result<std::string> read_only_file(std::string_view member) {
  BytesSource packed(as_bytes(member));
  layer::Decompressed plain(packed);
  layer::TarStream tar(plain);
  const auto item = TRY(tar.next());
  if (!item || item->path != layer::kTocName || item->size_bytes > kMostIndexBytes) {
    return make_error(ErrorKind::Corrupt, "has no such file, or one too large");
  }
  StringSink text;
  TRY(copy(tar, text));
  return std::move(text.text);
}

}  // namespace

Result<std::uint64_t> parse_stargz_footer(std::string_view tail, std::uint64_t blob_bytes) {
  constexpr std::size_t kFooter = layer::kStargzFooterBytes;
  constexpr std::size_t kNumberAt = 16, kNumberDigits = 16;
  if (tail.size() < kFooter) return corrupt("is not there: the blob is too small");
  const std::string_view footer = tail.substr(tail.size() - kFooter);
  const std::string_view digits = footer.substr(kNumberAt, kNumberDigits);
  std::uint64_t offset = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), offset, 16);
  if (error != std::errc() || end != digits.end() || footer != layer::make_stargz_footer(offset)) {
    return make_error(ErrorKind::Unsupported, "table of contents is not where eStargz has it");
  }
  if (offset >= blob_bytes - kFooter) return corrupt("begins outside the layer");
  return offset;
}

Result<std::string> unpack_stargz_index(std::string_view member, const Digest& expected) {
  const Result<std::string> text = read_only_file(member);
  if (!text.ok()) return corrupt(fmt::format("is damaged: its member {}", text.error().message));
  if (sha256(*text) != expected) return corrupt("is not the one that the manifest names");
  return text;
}

Result<std::vector<Entry>> parse_stargz_index(std::string_view text, std::uint64_t toc_offset) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto entries = json.is_object() ? json.find("entries") : json.end();
  if (!json.is_object() || entries == json.end() || !entries->is_array()) {
    return corrupt("is no JSON of its kind");
  }
  return IndexReader(toc_offset).read(*entries);
}

}  // namespace slipway::lazy
