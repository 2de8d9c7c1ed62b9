/// Which repositories a blob was pushed to or pulled from: where a registry can mount it from.
/// Facts of the store; losing one costs an upload.
#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "store/store.h"

namespace slipway::plan {

/// The repositories at `host` that have had the blob, the latest first.
Result<std::vector<std::string>> find_blob_places(const store::Store& store, const Digest& blob,
                                                  const std::string& host);
Result<void> note_blob_place(const store::Store& store, const Digest& blob, const std::string& host,
                             const std::string& repository);

}  // namespace slipway::plan
