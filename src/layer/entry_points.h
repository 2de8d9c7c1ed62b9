/// The commands that a wheel brings (entry-points specification) and the scripts that start them.
/// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway::layer {

struct EntryPoint {
  std::string module;     ///< `jupyterlab.labapp`
  std::string attribute;  ///< `main`, `LabApp.launch_instance`
  bool operator==(const EntryPoint&) const = default;
};

using Commands = std::map<std::string, EntryPoint>;  ///< by the name of the script

/// `console_scripts` and `gui_scripts` of an entry_points.txt. The names are file names, modules
/// and attributes dotted identifiers; else Corrupt.
Result<Commands> parse_commands(std::string_view text);

/// As pip does it: a wheel's `pip`, `pip3`, `pip3.11` stand for any Python; those of this one are
/// made. The same with `easy_install`.
Commands fit_versioned_commands(Commands commands, int python_major, int python_minor);

/// The script: `#!<interpreter>`, then a call of the entry point.
std::string make_script(std::string_view interpreter, const EntryPoint& entry);

}  // namespace slipway::layer
