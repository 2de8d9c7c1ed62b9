/// Who the user of an image is whose layers are not there.
#pragma once

#include "lazy/fetcher.h"
#include "plan/incoming_image.h"
#include "plan/lazy_folder.h"

namespace slipway::plan {

/// As find_incoming_ids, with the tables of contents where a layer is to come: of such a layer the
/// pieces that hold passwd and group are fetched, and stay. `fetch` counts layers. Blocks; its
/// threads have ended when it returns.
Result<ImageIds> find_lazy_ids(const IncomingImage& image, const LazyFolder& folder,
                               const store::Store& store, const lazy::Fetcher::FetchRange& fetch,
                               const CancelToken& cancel);

}  // namespace slipway::plan
