/// Which file this program is, and what came with it.
///
/// In a folder made by `make dist` the program is started by a launcher, through a dynamic loader
/// that the folder carries: then /proc/self/exe is that loader, `<folder>/loader/slipway`.
///
///   <folder>/bin/NAME       the launcher: what is to be started
///   <folder>/loader/NAME    the dynamic loader, once for each program so that `ps` knows them
///   <folder>/libexec/NAME   the program
///   <folder>/lib            the libraries of all
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace slipway {

/// What starts this program again. Io where /proc does not tell.
Result<std::string> find_own_program();

/// The folder whose programs go before those of PATH: `bin` of the carried folder; empty where this
/// program was not carried.
std::string carried_programs_folder();

/// The launcher that belongs to what /proc/self/exe names; empty where that is no carried loader.
/// Looks at files.
std::string find_launcher(std::string_view executable);

}  // namespace slipway
