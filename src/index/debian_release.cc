#include <array>
#include <charconv>
#include <chrono>

#include "index/debian_text.h"

namespace slipway::index {
namespace {

template <typename Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::optional<unsigned> month_number(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (kMonths[i] == name) return i + 1;
  }
  return std::nullopt;
}

bool is_safe_path(std::string_view path) {
  return !path.empty() && path.front() != '/' && path.find("..") == std::string_view::npos;
}

Result<void> parse_files(std::string_view value, DebianRelease& release) {
  const auto words = words_of(value);
  if (words.size() % 3 != 0) {
    return make_error(ErrorKind::Corrupt, "the list of files in the Release is cut short");
  }
  for (std::size_t i = 0; i < words.size(); i += 3) {
    ReleaseFile file;
    auto digest = parse_digest(words[i]);
    if (!digest || !parse_number(words[i + 1], file.size_bytes) || !is_safe_path(words[i + 2])) {
      return make_error(ErrorKind::Corrupt, "the Release has a bad line for `{}`", words[i + 2]);
    }
    file.sha256 = *digest;
    release.files.emplace(words[i + 2], file);
  }
  return {};
}

}  // namespace

Result<std::int64_t> parse_release_date(std::string_view text) {
  const auto bad = [&] { return make_error(ErrorKind::Corrupt, "`{}` is no date", text); };
  const auto words = words_of(text);  // Sat, 11 Jul 2026 10:16:37 UTC
  if (words.size() != 6) return bad();
  const std::string_view time = words[4];  // Ubuntu pads the hour with a blank: ` 0:28:14`
  const std::size_t size = time.size();
  if ((size != 7 && size != 8) || time[size - 3] != ':' || time[size - 6] != ':') return bad();
  if (words[5] != "UTC" && words[5] != "GMT" && words[5] != "+0000") return bad();
  unsigned day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const auto month = month_number(words[2]);
  const bool numbers = parse_number(words[1], day) && parse_number(words[3], year) &&
                       parse_number(time.substr(0, size - 6), hour) &&
                       parse_number(time.substr(size - 5, 2), minute) &&
                       parse_number(time.substr(size - 2), second);
  if (!month || !numbers || hour > 23 || minute > 59 || second > 60 || year < 1970 || year > 9999) {
    return bad();
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(*month),
                                         std::chrono::day(day)};
  if (!date.ok()) return bad();
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return std::int64_t{days} * 86400 + hour * 3600 + minute * 60 + second;
}

Result<DebianRelease> parse_release(std::string_view text) {
  DebianRelease release;
  std::string date;
  std::string valid_until;
  std::string_view files;
  next_paragraph(text, [&](std::string_view name, std::string_view value) {
    if (same_field(name, "Suite")) release.suite = value;
    if (same_field(name, "Codename")) release.codename = value;
    if (same_field(name, "Date")) date = value;
    if (same_field(name, "Valid-Until")) valid_until = value;
    if (same_field(name, "Acquire-By-Hash")) release.by_hash = same_field(value, "yes");
    if (same_field(name, "NotAutomatic")) release.is_not_automatic = same_field(value, "yes");
    if (same_field(name, "SHA256")) files = value;
  });
  if (files.empty()) {
    return make_error(ErrorKind::Corrupt, "the Release has no SHA-256 values");
  }
  release.date = TRY(parse_release_date(date));
  if (!valid_until.empty()) release.valid_until = TRY(parse_release_date(valid_until));
  TRY(parse_files(files, release));
  return release;
}

Result<void> check_release(const DebianRelease& release, std::string_view suite, std::int64_t now) {
  if (!suite.empty() && release.codename != suite && release.suite != suite) {
    if (release.codename.empty() && release.suite.empty()) {
      return make_error(ErrorKind::Corrupt, "the Release names neither a codename nor a suite");
    }
    return make_error(ErrorKind::Corrupt, "asked for `{}`, the archive answered with `{}`", suite,
                      release.codename.empty() ? release.suite : release.codename)
        .hint("check the address of the archive in this machine's apt configuration");
  }
  if (release.valid_until && now > *release.valid_until) {
    return make_error(ErrorKind::Corrupt, "the Release of `{}` expired {} hours ago", suite,
                      (now - *release.valid_until) / 3600)
        .hint("the mirror is out of date, or this machine's clock is wrong")
        .hint("use another mirror in this machine's apt configuration");
  }
  // A clock may be a little behind the archive's; a day is no accident.
  if (release.date > now + 86400) {
    return make_error(ErrorKind::Corrupt, "the Release of `{}` is from the future", suite)
        .hint("this machine's clock is wrong");
  }
  return {};
}

}  // namespace slipway::index
