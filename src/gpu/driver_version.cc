#include "gpu/driver_version.h"

#include <algorithm>
#include <charconv>

namespace slipway::gpu {
namespace {

Error not_one(std::string_view text) {
  return make_error(ErrorKind::InvalidInput, "`{}` is not a driver version", text)
      .hint("write what nvidia-smi shows, like `570.86.15`, or a branch, like `570`");
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

int part(const DriverVersion& version, std::size_t i) {
  return i < version.parts.size() ? version.parts[i] : 0;
}

}  // namespace

std::string DriverVersion::text() const {
  // The second and third parts have two digits at least: 525.60.13, 390.08.
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i)
    text += i == 0 ? fmt::format("{}", parts[i]) : fmt::format(".{:02}", parts[i]);
  return text;
}

Result<DriverVersion> parse_driver_version(std::string_view text) {
  DriverVersion version;
  std::string_view rest = text;
  for (bool more = true; more;) {
    const std::size_t dot = rest.find('.');
    const std::string_view digits = rest.substr(0, dot);
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || digits.size() > 5 || error != std::errc() || value < 0 ||
        end != digits.data() + digits.size() || version.parts.size() == 3)
      return not_one(text);
    version.parts.push_back(value);
    more = dot != std::string_view::npos;
    rest = more ? rest.substr(dot + 1) : "";
  }
  return version;
}

Result<DriverVersion> lowest_driver(std::string_view specifier) {
  std::string_view rest = trim(specifier);
  for (;;) {
    const std::size_t comma = rest.find(',');
    std::string_view clause = trim(rest.substr(0, comma));
    const bool is_bound = clause.starts_with(">=") || clause.starts_with("==") ||
                          clause.starts_with("~=") || clause.starts_with('>');
    const bool is_plain = !clause.empty() && clause[0] >= '0' && clause[0] <= '9';
    if (is_bound || is_plain) {
      while (!clause.empty() && (clause[0] < '0' || clause[0] > '9')) clause.remove_prefix(1);
      if (clause.ends_with(".*")) clause.remove_suffix(2);
      return parse_driver_version(trim(clause));
    }
    if (comma == std::string_view::npos) return not_one(specifier);
    rest = rest.substr(comma + 1);
  }
}

int compare(const DriverVersion& a, const DriverVersion& b) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (part(a, i) != part(b, i)) return part(a, i) < part(b, i) ? -1 : 1;
  }
  return 0;
}

bool reaches(const DriverVersion& driver, const DriverVersion& floor) {
  for (std::size_t i = 0; i < driver.parts.size(); ++i) {
    if (driver.parts[i] != part(floor, i)) return driver.parts[i] > part(floor, i);
  }
  return true;
}

}  // namespace slipway::gpu
