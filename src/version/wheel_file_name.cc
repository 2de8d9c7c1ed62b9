#include "version/wheel_file_name.h"

#include <algorithm>
#include <charconv>

#include "version/text_reader.h"

namespace slipway::version {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "py2.py3" -> py2, py3. Empty where a part is.
std::vector<std::string> tag_parts(std::string_view text) {
  std::vector<std::string> tags;
  for (const std::string_view part : split(text, '.')) {
    const bool is_word = std::all_of(part.begin(), part.end(),
                                     [](char c) { return is_letter_or_digit(c) || c == '_'; });
    if (part.empty() || !is_word) return {};
    tags.emplace_back(part);
    std::transform(tags.back().begin(), tags.back().end(), tags.back().begin(), to_lower);
  }
  return tags;
}

std::optional<BuildTag> parse_build(std::string_view text) {
  BuildTag tag;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), tag.number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  tag.rest.assign(end, text.data() + text.size());
  return tag;
}

}  // namespace

Result<WheelFileName> parse_wheel_file_name(std::string_view file_name) {
  const auto refuse = [&](std::string_view why) {
    return make_error(ErrorKind::InvalidInput, "`{}` is not the name of a wheel",
                      excerpt(file_name))
        .reason(std::string(why));
  };
  constexpr std::string_view kSuffix = ".whl";
  if (!file_name.ends_with(kSuffix)) return refuse("it does not end in `.whl`");
  const auto parts = split(file_name.substr(0, file_name.size() - kSuffix.size()), '-');
  if (parts.size() != 5 && parts.size() != 6) return refuse("it has not five or six parts");
  // PEP 427 escapes runs of other characters to one `_`, so two in a row have another meaning.
  if (parts[0].find("__") != std::string_view::npos) return refuse("its package name has `__`");
  auto name = PackageName::parse(parts[0]);
  if (!name) return std::move(name).error();
  auto version = Version::parse(parts[1]);
  if (!version) return std::move(version).error();
  WheelFileName wheel{std::move(name).value(), std::move(version).value(), {}, {}, {}, {}};
  if (parts.size() == 6) {
    wheel.build = parse_build(parts[2]);
    if (!wheel.build) return refuse("its build tag does not begin with a digit");
  }
  wheel.pythons = tag_parts(parts[parts.size() - 3]);
  wheel.abis = tag_parts(parts[parts.size() - 2]);
  wheel.platforms = tag_parts(parts[parts.size() - 1]);
  if (wheel.pythons.empty() || wheel.abis.empty() || wheel.platforms.empty()) {
    return refuse("a tag is empty or has a character that tags do not have");
  }
  return wheel;
}

}  // namespace slipway::version
