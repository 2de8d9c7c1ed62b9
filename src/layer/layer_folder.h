/// The names in one folder of a layer. Private to `layer`.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace slipway::layer {

/// `path` is `` for the layer's root, else `/usr/lib`. The path must be one that a walk found: no
/// part of it is a link.
Result<UniqueFd> open_layer_folder(int root, const std::string& path);

/// Calls `visit(name, status)` for each name but `.` and `..`, in the disk's order.
using VisitName = std::function<Result<void>(const char* name, const struct stat& status)>;
Result<void> visit_names(const UniqueFd& folder, const std::string& path, const VisitName& visit);

}  // namespace slipway::layer
