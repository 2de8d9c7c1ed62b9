/// Signatures where they lie: beside their image in the store, and at registries.
///
/// In the store each is a referrer of the image (store/store.h). At a registry a bundle is an
/// OCI 1.1 referrer, and simple signatures share one image under a tag, which is read, extended and
/// written.
#pragma once

#include <string>
#include <vector>

#include "plan/registries.h"
#include "plan/tools.h"
#include "registry/registry.h"
#include "sign/signature.h"

namespace slipway::plan {

struct FoundSignatures {
  std::vector<sign::SignatureImage> images;
  std::vector<std::string> troubles;  ///< what looked like one and could not be read, and why
};

/// Those of the store, in the order of their digests.
Result<FoundSignatures> read_signatures(const store::Store& store, const Digest& image);
/// Needs a lease. The same one twice is there once.
Result<void> store_signature(const store::Store& store, const Digest& image,
                             const sign::SignatureImage& signature);

/// Those at a registry: at most 100, each of at most 4 MiB, together 32; what is more is a trouble.
/// Fails as registry/registry.h has it where the registry cannot be asked.
Result<FoundSignatures> fetch_signatures(registry::Registry& registry,
                                         const std::string& repository, const Digest& image,
                                         const CancelToken& cancel);
/// Adds it to those that are there.
Result<void> send_signature(registry::Registry& registry, const std::string& repository,
                            const Digest& image, const sign::SignatureImage& signature,
                            const CancelToken& cancel);

}  // namespace slipway::plan
