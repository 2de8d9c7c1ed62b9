#include "http/head.h"

#include <algorithm>
#include <cctype>

namespace slipway::http {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

void Head::take_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    *this = {};
    const auto space = line.find(' ');
    for (std::size_t i = space + 1; space != std::string_view::npos && i < line.size(); ++i) {
      if (std::isdigit(static_cast<unsigned char>(line[i])) == 0 || status > 99) break;
      status = status * 10 + (line[i] - '0');
    }
    return;
  }
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    Header header{std::string(trim(line.substr(0, colon))),
                  std::string(trim(line.substr(colon + 1)))};
    for (char& c : header.name) {
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    headers.push_back(std::move(header));
  }
}

std::optional<std::string_view> Head::find(std::string_view name) const {
  const auto is_named = [&](const Header& header) { return header.name == name; };
  const auto found = std::find_if(headers.rbegin(), headers.rend(), is_named);
  if (found == headers.rend()) return std::nullopt;
  return found->value;
}

bool Head::is_html() const {
  const auto type = find("content-type");
  return type && type->starts_with("text/html");
}

}  // namespace slipway::http
