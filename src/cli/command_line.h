/// From argv to an Invocation: the options that stand before the command, the command, its words.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"

namespace slipway::cli {

/// Text asked for instead of work: `--help`, `--version`.
struct Text {
  std::string text;
};

struct Call {
  const Command* command;
  Invocation invocation;
  std::string folder = ".";
};

/// `arguments` without the program's name. InvalidInput names the culprit and suggests the nearest.
Result<std::variant<Text, Call>> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace slipway::cli
