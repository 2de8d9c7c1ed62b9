#include "sign/check.h"

#include "sign/bundle.h"
#include "sign/simple_signing.h"

namespace slipway::sign {

std::vector<Finding> check_signature(const SignatureImage& signature, const PublicKey& key,
                                     const Digest& image) {
  std::vector<Finding> findings;
  for (const Part& part : signature.layers) {
    if (part.descriptor.media_type != kSimpleType) {
      findings.push_back(check_bundle(part.bytes, key, image));
      continue;
    }
    const auto& annotations = part.descriptor.annotations;
    const auto packed = annotations.find(std::string(kSignatureKey));
    findings.push_back(check_simple(
        part.bytes, packed == annotations.end() ? std::string() : packed->second, key, image));
  }
  return findings;
}

}  // namespace slipway::sign
