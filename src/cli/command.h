/// A command of `slipway`: a row of data from which parsing, `--help` and the manual come, and the
/// function behind it. Each command stands in its own file `<name>_command.cc`.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/reporter.h"

namespace slipway::cli {

struct Option {
  std::string names;       ///< as in "-m,--memory"; the long one is its key
  std::string value_name;  ///< "SIZE"; empty for a switch
  std::string help;
};

struct Example {
  std::string command;
  std::string says;
};

/// What follows the options. Optional: `[NAME]`; UpToTwo: `[NAME [NAME]]`. Rest: `[NAME]
/// [ARGUMENT...]`, where nothing after the first word is an option of ours, as with `docker run`.
/// Many: `NAME...`; Any: `[NAME...]`.
enum class Operand { None, Optional, UpToTwo, Required, Rest, Many, Any };

/// The words of one call, checked against its command's row.
struct Invocation {
  std::map<std::string, std::vector<std::string>> options;  ///< by long name, without dashes
  std::vector<std::string> operands;
  std::vector<std::string> after_dashes;  ///< what stands behind `--`
  bool has_dashes = false;

  bool has(const std::string& name) const { return options.contains(name); }
  std::optional<std::string> find(const std::string& name) const;
  std::vector<std::string> all(const std::string& name) const;
};

/// What the program gives every command.
struct Context {
  std::string folder;  ///< where the project is looked for (-C)
  Reporter& reporter;
  CancelToken cancel;
};

struct Command {
  std::string name;
  std::string summary;
  Operand operand = Operand::None;
  std::string operand_name;
  std::vector<Option> options;
  std::vector<Example> examples;
  /// The exit status, or an Error that `main` prints.
  Result<int> (*run)(const Invocation&, Context&);
};

/// Every command, in the order in which help lists them.
std::span<const Command> commands();

/// `--json`, the same everywhere.
Option json_option();

/// Writes to standard output, where data goes. Fails with Io (a closed pipe, a full disk).
Result<void> print(std::string_view text);

}  // namespace slipway::cli
