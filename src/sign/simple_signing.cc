#include "sign/simple_signing.h"

#include "base/base64.h"
#include "sign/json.h"

namespace slipway::sign {
namespace {

constexpr std::string_view kClaim = "cosign container image signature";

}  // namespace

Result<Part> make_simple(std::string_view repository, const Digest& image, const PrivateKey& key) {
  std::string payload =
      fmt::format(R"({{"critical":{{"identity":{{"docker-reference":"{}"}},)"
                  R"("image":{{"docker-manifest-digest":"{}"}},"type":"{}"}},"optional":null}})",
                  repository, image.text(), kClaim);
  oci::Descriptor descriptor = oci::describe(kSimpleType, payload);
  descriptor.annotations[std::string(kSignatureKey)] = encode_base64(TRY(key.sign(payload)));
  return Part{std::move(descriptor), std::move(payload)};
}

Finding check_simple(std::string_view payload, std::string_view signature, const PublicKey& key,
                     const Digest& image) {
  Finding finding{Format::Simple, Verdict::Unreadable, {}, {}, {}};
  const auto bytes = decode_base64(signature);
  if (!bytes || bytes->empty()) {
    finding.why = "its signature is not base64";
    return finding;
  }
  if (!key.has_signed(payload, *bytes)) {
    finding.verdict = Verdict::OtherKey;
    finding.why = "it is made with another key, or was changed";
    return finding;
  }
  const auto document = parse_object(payload);
  finding.verdict = Verdict::OtherClaim;
  finding.why = "what it signs is no simple signing of cosign's";
  if (!document || find_text(*document, {"critical", "type"}) != kClaim) return finding;
  const auto digest =
      parse_digest(find_text(*document, {"critical", "image", "docker-manifest-digest"}));
  if (digest.ok()) finding.digest = *digest;
  finding.verdict = finding.digest == image ? Verdict::Good : Verdict::OtherDigest;
  finding.why = finding.verdict == Verdict::Good ? ""
                : finding.digest ? fmt::format("it signs {}", finding.digest->text())
                                 : "it signs no digest";
  return finding;
}

}  // namespace slipway::sign
