#include "version/package_name.h"

#include "version/text_reader.h"

namespace slipway::version {
namespace {

bool is_separator(char c) { return c == '-' || c == '_' || c == '.'; }

}  // namespace

Result<PackageName> PackageName::parse(std::string_view text) {
  std::string normal;
  for (const char c : text) {
    if (is_letter_or_digit(c)) {
      normal += to_lower(c);
    } else if (!is_separator(c)) {
      return make_error(ErrorKind::InvalidInput, "`{}` is not a package name", excerpt(text));
    } else if (normal.empty() || normal.back() != '-') {
      normal += '-';
    }
  }
  if (normal.empty() || normal.front() == '-' || normal.back() == '-') {
    return make_error(ErrorKind::InvalidInput, "`{}` is not a package name", excerpt(text))
        .reason("a name begins and ends with a letter or a digit");
  }
  return PackageName(std::move(normal));
}

}  // namespace slipway::version
