#include "layer/entry_points.h"

#include <algorithm>
#include <cctype>

namespace slipway::layer {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\f\v";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_dotted_identifier(std::string_view text) {
  bool at_start = true;
  for (const char c : text) {
    const bool is_letter = std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' ||
                           static_cast<unsigned char>(c) >= 0x80;
    if (c == '.' ? at_start : !is_letter && (at_start || !is_digit(c))) return false;
    at_start = c == '.';
  }
  return !at_start;
}

bool is_file_name(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.size() > 255) return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

Result<EntryPoint> parse_entry_point(std::string_view name, std::string_view value) {
  // `module:attribute [extra]`: the extras are out of use and change nothing.
  value = trimmed(value.substr(0, value.find('[')));
  const std::size_t colon = value.find(':');
  EntryPoint entry;
  entry.module = trimmed(value.substr(0, colon));
  if (colon != std::string_view::npos) entry.attribute = trimmed(value.substr(colon + 1));
  if (!is_file_name(name) || !is_dotted_identifier(entry.module) ||
      !is_dotted_identifier(entry.attribute)) {
    return make_error(ErrorKind::Corrupt, "has an entry point `{} = {}` that names no function",
                      name, value);
  }
  return entry;
}

/// Is `name` the prefix followed by nothing or `<digits>` or `<digits>.<digits>`?
bool is_versioned(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  if (name.empty()) return true;
  const std::size_t dot = name.find('.');
  const std::string_view major = name.substr(0, dot);
  const std::string_view minor = dot == std::string_view::npos ? "0" : name.substr(dot + 1);
  const auto is_number = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  };
  return is_number(major) && is_number(minor);
}

}  // namespace

Result<Commands> parse_commands(std::string_view text) {
  Commands commands;
  bool is_wanted = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      is_wanted = line == "[console_scripts]" || line == "[gui_scripts]";
      continue;
    }
    if (!is_wanted) continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return make_error(ErrorKind::Corrupt, "has a line without `=` in entry_points.txt");
    }
    const std::string_view name = trimmed(line.substr(0, equals));
    commands[std::string(name)] = TRY(parse_entry_point(name, line.substr(equals + 1)));
  }
  return commands;
}

Commands fit_versioned_commands(Commands commands, int python_major, int python_minor) {
  const std::string both = fmt::format("{}.{}", python_major, python_minor);
  if (const auto pip = commands.find("pip"); pip != commands.end()) {
    const EntryPoint entry = pip->second;
    std::erase_if(commands, [](const auto& c) { return is_versioned(c.first, "pip"); });
    commands["pip"] = commands[fmt::format("pip{}", python_major)] = commands["pip" + both] = entry;
  }
  if (const auto install = commands.find("easy_install"); install != commands.end()) {
    const EntryPoint entry = install->second;
    std::erase_if(commands, [](const auto& c) { return is_versioned(c.first, "easy_install-"); });
    commands["easy_install"] = commands["easy_install-" + both] = entry;
  }
  return commands;
}

std::string make_script(std::string_view interpreter, const EntryPoint& entry) {
  const std::string_view attribute = entry.attribute;
  const std::string_view imported = attribute.substr(0, attribute.find('.'));
  return fmt::format(
      "#!{}\nimport sys\n\nfrom {} import {}\n\nif __name__ == \"__main__\":\n    sys.exit({}())\n",
      interpreter, entry.module, imported, attribute);
}

}  // namespace slipway::layer
