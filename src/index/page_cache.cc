#include "index/page_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <ctime>

#include "base/file.h"

namespace slipway::index {
namespace {

constexpr std::string_view kFirstLine = "slipway page 2";
constexpr std::size_t kFields = 10;
constexpr std::array kMetadataMarks = {'?', '+', '-'};  // in the order of MetadataFile

/// Without what would end a field or a line.
std::string_view one_field(std::string_view text, std::string& buffer) {
  if (text.find_first_of("\t\n\r") == std::string_view::npos) return text;
  buffer = text;
  std::replace_if(
      buffer.begin(), buffer.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; },
      ' ');
  return buffer;
}

std::string time_text(const std::optional<UtcTime>& time) {
  return time ? fmt::format_int(time->time_since_epoch().count()).str() : "-";
}

void append_wheel(std::string& out, const WheelFile& wheel) {
  std::string python, reason;
  const bool is_named = wheel.url.ends_with(wheel.file_name);
  const auto url = std::string_view(wheel.url).substr(
      0, wheel.url.size() - (is_named ? wheel.file_name.size() : 0));
  fmt::format_to(std::back_inserter(out), "{}\t{}{}\t", wheel.file_name, url, is_named ? "*" : "");
  out += wheel.size_bytes ? fmt::format_int(*wheel.size_bytes).str() : "-";
  fmt::format_to(std::back_inserter(out), "\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                 wheel.sha256 ? wheel.sha256->hex() : "-",
                 kMetadataMarks[static_cast<std::size_t>(wheel.metadata_file)],
                 wheel.metadata_sha256 ? wheel.metadata_sha256->hex() : "-",
                 wheel.is_yanked ? '1' : '0', time_text(wheel.uploaded),
                 one_field(wheel.requires_python, python), one_field(wheel.yanked_reason, reason));
}

std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

template <typename Number>
bool take_number(std::string_view text, Number& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool take_digest(std::string_view text, std::optional<Digest>& value) {
  if (text == "-") return true;
  auto digest = parse_digest(text);
  if (!digest.ok()) return false;
  value = digest.value();
  return true;
}

bool take_time(std::string_view text, std::optional<UtcTime>& value) {
  if (text == "-") return true;
  UtcTime::rep count = 0;
  if (!take_number(text, count)) return false;
  value = UtcTime(UtcTime::duration(count));
  return true;
}

bool parse_wheel(std::string_view line, WheelFile& wheel) {
  std::array<std::string_view, kFields> fields;
  for (std::size_t i = 0; i < kFields; ++i) {
    const auto tab = line.find('\t');
    if ((tab == std::string_view::npos) != (i + 1 == kFields)) return false;
    fields[i] = line.substr(0, tab);
    line.remove_prefix(tab == std::string_view::npos ? line.size() : tab + 1);
  }
  wheel.file_name = fields[0];
  const bool is_named = fields[1].ends_with('*');
  wheel.url.reserve(fields[1].size() + fields[0].size());
  wheel.url = fields[1].substr(0, fields[1].size() - (is_named ? 1 : 0));
  if (is_named) wheel.url += fields[0];
  if (fields[2] != "-" && !take_number(fields[2], wheel.size_bytes.emplace())) return false;
  const auto mark = std::find(kMetadataMarks.begin(), kMetadataMarks.end(),
                              fields[4].size() == 1 ? fields[4][0] : '\0');
  if (mark == kMetadataMarks.end()) return false;
  wheel.metadata_file = static_cast<MetadataFile>(mark - kMetadataMarks.begin());
  wheel.is_yanked = fields[6] == "1";
  wheel.requires_python = fields[8];
  wheel.yanked_reason = fields[9];
  if (!take_time(fields[7], wheel.uploaded)) return false;
  return take_digest(fields[3], wheel.sha256) && take_digest(fields[5], wheel.metadata_sha256);
}

}  // namespace

std::string write_page(const CachedPage& cached) {
  std::string url, etag;
  std::string out = fmt::format("{}\n{}\n{}\n{}\n{}\n", kFirstLine, one_field(cached.url, url),
                                one_field(cached.etag, etag), cached.max_age.count(),
                                cached.page.has_other_files ? '1' : '0');
  for (const WheelFile& wheel : cached.page.wheels) append_wheel(out, wheel);
  return out + "end\n";
}

std::optional<CachedPage> parse_page(std::string_view text) {
  if (!text.ends_with("\nend\n")) return std::nullopt;
  if (take_line(text) != kFirstLine) return std::nullopt;
  const auto url = take_line(text);
  const auto etag = take_line(text);
  const auto max_age = take_line(text);
  const auto others = take_line(text);
  std::chrono::seconds::rep seconds = 0;
  if (!others || !take_number(*max_age, seconds)) return std::nullopt;
  CachedPage cached{std::string(*url), std::string(*etag), std::chrono::seconds(seconds), {}};
  cached.page.has_other_files = *others == "1";
  cached.page.wheels.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
  while (const auto line = take_line(text)) {
    if (*line == "end") return text.empty() ? std::optional(std::move(cached)) : std::nullopt;
    if (!parse_wheel(*line, cached.page.wheels.emplace_back())) return std::nullopt;
  }
  return std::nullopt;
}

void store_cache_file(const std::string& path, std::string_view text) {
  static std::atomic<unsigned> count = 0;
  const std::string temporary = fmt::format("{}.{}.{}.tmp", path, ::getpid(), count++);
  if (!make_folders(parent_path(path)).ok()) return;
  auto fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
  if (!fd.ok()) return;
  const bool written = FdSink(fd.value().get()).write(as_bytes(text)).ok();
  if (!written || !rename_path(temporary, path).ok()) (void)remove_file(temporary);
}

void touch_cache_file(const std::string& path) {
  (void)::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
}

std::optional<std::chrono::seconds> cache_file_age(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  const std::time_t now = std::time(nullptr);
  if (status.st_mtime > now) return std::nullopt;
  return std::chrono::seconds(now - status.st_mtime);
}

}  // namespace slipway::index
