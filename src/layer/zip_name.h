/// Which names a wheel's members may have. Pure.
#pragma once

#include <string>
#include <string_view>

namespace slipway::layer {

/// What is wrong with the name, as the end of a sentence ("has `..` in its name"); empty when
/// nothing is. A slash at the end marks a folder.
std::string find_name_fault(std::string_view name, bool is_utf8);

}  // namespace slipway::layer
