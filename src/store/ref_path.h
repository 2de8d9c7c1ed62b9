/// Where the name of an image lies. Private to `store`.
#pragma once

#include <string>

#include "base/error.h"
#include "store/image_name.h"

namespace slipway::store {

/// Below the store's folder. A tag's file starts with `:`, which no part of a name can, so that the
/// image `a:b` and the image `a/b:c` do not want one path.
Result<std::string> ref_path(const ImageName& name);

}  // namespace slipway::store
