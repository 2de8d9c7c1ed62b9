#include "base/utc_time.h"

#include <fmt/format.h>

#include <optional>

namespace slipway {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool skip_one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly `digits` of them, and not above `most`.
  std::optional<int> number(std::size_t digits, int most) {
    if (rest_.size() < digits) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value <= most ? std::optional(value) : std::nullopt;
  }
  /// The digits behind the point, as milliseconds.
  std::optional<int> fraction() {
    int value = 0;
    std::size_t count = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1)) {
      if (++count <= 3) value = value * 10 + (rest_.front() - '0');
    }
    for (std::size_t i = count; i < 3; ++i) value *= 10;
    return count > 0 ? std::optional(value) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::optional<UtcTime> read_date(TimeReader& reader) {
  const auto year = reader.number(4, 9999);
  if (!year || !reader.skip_one_of("-")) return std::nullopt;
  const auto month = reader.number(2, 12);
  if (!month || !reader.skip_one_of("-")) return std::nullopt;
  const auto day = reader.number(2, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok() ? std::optional<UtcTime>(std::chrono::sys_days(date)) : std::nullopt;
}

// A leap second is 60 (RFC 3339, section 5.7); here it is the first of the next minute.
std::optional<milliseconds> read_time_of_day(TimeReader& reader) {
  const auto hour = reader.number(2, 23);
  if (!hour || !reader.skip_one_of(":")) return std::nullopt;
  const auto minute = reader.number(2, 59);
  if (!minute || !reader.skip_one_of(":")) return std::nullopt;
  const auto second = reader.number(2, 60);
  if (!second) return std::nullopt;
  std::optional<int> fraction = 0;
  if (reader.skip_one_of(".")) fraction = reader.fraction();
  if (!fraction) return std::nullopt;
  return hours(*hour) + minutes(*minute) + seconds(*second) + milliseconds(*fraction);
}

std::optional<minutes> read_offset(TimeReader& reader) {
  if (reader.skip_one_of("Zz")) return minutes(0);
  const bool is_east = reader.skip_one_of("+");
  if (!is_east && !reader.skip_one_of("-")) return std::nullopt;
  const auto hour = reader.number(2, 23);
  if (!hour || !reader.skip_one_of(":")) return std::nullopt;
  const auto minute = reader.number(2, 59);
  if (!minute) return std::nullopt;
  const minutes offset = hours(*hour) + minutes(*minute);
  return is_east ? offset : -offset;
}

std::optional<UtcTime> read_time(std::string_view text) {
  TimeReader reader(text);
  const auto date = read_date(reader);
  if (!date || reader.at_end()) return date;
  if (!reader.skip_one_of("Tt ")) return std::nullopt;
  const auto time = read_time_of_day(reader);
  if (!time) return std::nullopt;
  const auto offset = read_offset(reader);
  if (!offset || !reader.at_end()) return std::nullopt;
  const UtcTime moment = *date + *time - *offset;
  // In UTC it may be a year that cannot be written with four digits.
  const int year(std::chrono::year_month_day(std::chrono::floor<days>(moment)).year());
  return year >= 0 && year <= 9999 ? std::optional(moment) : std::nullopt;
}

}  // namespace

Result<UtcTime> parse_utc_time(std::string_view text) {
  if (const auto time = read_time(text)) return *time;
  return make_error(ErrorKind::InvalidInput, "`{}` is not a date", text)
      .hint("write `2025-01-31`, or `2025-01-31T12:00:00Z` (RFC 3339)");
}

std::string utc_time_text(UtcTime time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const std::string fraction =
      clock.subseconds().count() == 0 ? "" : fmt::format(".{:03}", clock.subseconds().count());
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     fraction);
}

}  // namespace slipway
