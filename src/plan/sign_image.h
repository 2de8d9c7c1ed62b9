/// `slipway sign` and `slipway verify --key`.
///
/// A name with a registry's host means the image there; any other the store's. What the store has
/// under the name of a registry's image is what is checked, for it is what would run.
#pragma once

#include <string>
#include <vector>

#include "plan/registries.h"
#include "plan/tools.h"
#include "registry/session.h"
#include "sign/signature.h"

namespace slipway::plan {

struct SignRequest {
  std::string image;
  registry::Trust trust = registry::Trust::Checked;
  std::vector<sign::Format> formats;
};

struct SignedImage {
  std::string reference;
  Digest digest;
  bool is_at_registry = false;  ///< the signature was sent
  bool is_in_store = false;     ///< it goes along with `slipway push`
};

/// Signs the manifest's digest. Blocks; asks the registry where `image` names one. Fails with
/// NotFound, InvalidInput where the store and the registry have different images under the name, or
/// as registry/registry.h has it.
Result<SignedImage> sign_image(const SignRequest& request, const sign::PrivateKey& key,
                               const Tools& tools);

struct PlacedFinding {
  sign::Finding finding;
  std::string place;  ///< `store`, or the registry's host
};

struct CheckedSignatures {
  std::string reference;
  Digest digest;
  std::vector<PlacedFinding> findings;
  std::vector<std::string> troubles;  ///< what could not be read

  bool is_signed() const;
  /// Good where one is; else of the others the one that says most.
  sign::Verdict verdict() const;  ///< Unreadable where there is none
};

/// One good signature is enough, whatever else lies beside it. Where the store has one, no registry
/// is asked. Fails where the image or its registry cannot be found or read, not for want of a
/// signature.
Result<CheckedSignatures> check_signatures(const std::string& image, registry::Trust trust,
                                           const sign::PublicKey& key, const Tools& tools);

}  // namespace slipway::plan
