/// A layer's table of contents from a registry, before anything else of the layer.
#pragma once

#include <string>

#include "base/cancel.h"
#include "oci/manifest.h"
#include "plan/lazy_folder.h"
#include "registry/registry.h"

namespace slipway::plan {

/// EStargz's or zstd:chunked's, whose digest the manifest names; it has been read once, so that
/// whatever is wrong with it shows now. Fails with Unsupported where the layer has to come whole:
/// it has no table, or none for us, or the registry ignores ranges. Corrupt, and as fetch_range.
Result<LazyFolder::Table> fetch_lazy_table(registry::Registry& registry,
                                           const std::string& repository,
                                           const oci::Descriptor& layer, const CancelToken& cancel);

}  // namespace slipway::plan
