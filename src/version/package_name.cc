#include "version/package_name.h"

namespace slipway::version {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_separator(char c) { return c == '-' || c == '_' || c == '.'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Result<PackageName> PackageName::parse(std::string_view text) {
  std::string normal;
  for (const char c : text) {
    if (is_letter_or_digit(c)) {
      normal += lower(c);
    } else if (!is_separator(c)) {
      return make_error(ErrorKind::InvalidInput, "`{}` is not a package name", text);
    } else if (normal.empty() || normal.back() != '-') {
      normal += '-';
    }
  }
  if (normal.empty() || normal.front() == '-' || normal.back() == '-') {
    return make_error(ErrorKind::InvalidInput, "`{}` is not a package name", text)
        .reason("a name begins and ends with a letter or a digit");
  }
  return PackageName(std::move(normal));
}

}  // namespace slipway::version
