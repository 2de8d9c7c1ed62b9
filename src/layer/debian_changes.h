/// What an installation has changed in a base, as the entries of a layer: what depends on the
/// machine, the hour or the order of work is left out, as docs/decisions/0004-debian-base.md has it
/// for a base of our own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "layer/compare_trees.h"
#include "layer/tar_layer.h"

namespace slipway::layer {

/// Left: the base's stays, or there is nothing. Emptied: it has to be there, and nothing in it.
enum class ChangeFate { Kept, Left, Emptied };

/// By the path alone (`var/log/dpkg.log`), and by what there is of it before and after. Pure.
ChangeFate fate_of(std::string_view path, const PathChange& change);

/// `usr/lib/python3/a.py` of `usr/lib/python3/__pycache__/a.cpython-311.pyc`; empty where the path
/// is no such file of that tag. Pure.
std::string source_of_bytecode(std::string_view path, std::string_view tag);

/// The `.py` files below usr/lib/python3 and `usr/lib/<python>` ("python3.11") that have changed,
/// or whose bytecode has: what must be compiled. Sorted. Pure.
std::vector<std::string> sources_to_compile(const std::vector<PathChange>& changes,
                                            const std::string& python);

/// `etc/shadow` with the dates of the lines that the base has not. Pure.
std::string fix_new_shadow_dates(std::string_view shadow, std::string_view of_base);

/// The layer that turns the base into what `upper` (an overlay's upper folder on it) shows.
/// `changes` are compare_trees' between the two, `bytecode` the files that were compiled, by their
/// path in the image, and `old_shadow` the base's etc/shadow. Removed files become whiteouts
/// (image-spec, layer.md), and the folders above a change come with it, as they are. Fails with
/// Unsupported for a new device, pipe or socket.
Result<std::vector<Entry>> change_entries(const std::vector<PathChange>& changes,
                                          const std::string& upper,
                                          const std::map<std::string, std::string>& bytecode,
                                          const std::string& old_shadow);

}  // namespace slipway::layer
