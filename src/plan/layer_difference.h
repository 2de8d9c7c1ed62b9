/// Where two layers that should be one differ.
#pragma once

#include <string>

#include "base/cancel.h"
#include "base/error.h"

namespace slipway::plan {

/// The first difference of two tars, plain or packed, as the end of a sentence: "`etc/shadow` has
/// mode 0640 and 0600"; `one` comes first. A path that only one of them has comes before all else.
/// "nothing: they are packed in two ways" where the tars are the same. Fails as read_tar_file does.
Result<std::string> find_difference(const std::string& one, const std::string& other,
                                    const CancelToken& cancel);

}  // namespace slipway::plan
