#include "sign/bundle.h"

#include "base/base64.h"
#include "sign/json.h"

namespace slipway::sign {
namespace {

using nlohmann::json;

constexpr std::string_view kInToto = "application/vnd.in-toto+json";
constexpr std::string_view kStatement = "https://in-toto.io/Statement/";
constexpr std::string_view kSignPredicate = "https://sigstore.dev/cosign/sign/v1";

/// What DSSE signs: type and payload with their lengths, so that neither can pass for the other.
std::string signed_bytes(std::string_view type, std::string_view payload) {
  return fmt::format("DSSEv1 {} {} {} {}", type.size(), type, payload.size(), payload);
}

/// A fingerprint; other programs may write something else there.
std::optional<Digest> read_hint(const std::string& hint) {
  const auto bytes = decode_base64(hint);
  Digest digest;
  if (!bytes || bytes->size() != digest.value.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), digest.value.begin());
  return digest;
}

/// What the key has signed.
void judge_statement(const std::string& payload, const Digest& image, Finding& finding) {
  const auto statement = parse_object(payload);
  if (!statement || !find_text(*statement, {"_type"}).starts_with(kStatement)) {
    finding.verdict = Verdict::OtherClaim;
    finding.why = "what it signs is no in-toto statement";
    return;
  }
  const std::string predicate = find_text(*statement, {"predicateType"});
  if (predicate != kSignPredicate) {
    finding.verdict = Verdict::OtherClaim;
    finding.why = "it signs an attestation about an image, not an image";
    return;
  }
  finding.verdict = Verdict::OtherDigest;
  finding.why = "it signs no digest";
  const json* subjects = find_member(*statement, {"subject"});
  if (subjects == nullptr || !subjects->is_array()) return;
  for (const json& subject : *subjects) {
    const auto digest = parse_digest("sha256:" + find_text(subject, {"digest", "sha256"}));
    if (!digest.ok()) continue;
    finding.digest = *digest;
    finding.why = fmt::format("it signs {}", digest->text());
    if (*digest != image) continue;
    finding.verdict = Verdict::Good;
    finding.why.clear();
    return;
  }
}

}  // namespace

Result<std::string> make_bundle(const Digest& image, const PrivateKey& key) {
  const std::string payload = fmt::format(
      R"({{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],)"
      R"("predicateType":"{}","predicate":{{}}}})",
      image.hex(), kSignPredicate);
  const std::string signature = TRY(key.sign(signed_bytes(kInToto, payload)));
  const Digest fingerprint = key.public_key().fingerprint();
  const std::string hint(fingerprint.value.begin(), fingerprint.value.end());
  return fmt::format(
      R"({{"mediaType":"{}","verificationMaterial":{{"publicKey":{{"hint":"{}"}}}},)"
      R"("dsseEnvelope":{{"payload":"{}","payloadType":"{}","signatures":[{{"sig":"{}"}}]}}}})",
      kBundleType, encode_base64(hint), encode_base64(payload), kInToto, encode_base64(signature));
}

Finding check_bundle(std::string_view bundle, const PublicKey& key, const Digest& image) {
  Finding finding;
  const auto document = parse_object(bundle);
  if (!document) {
    finding.why = "it is no JSON of a bundle's size";
    return finding;
  }
  const json* signatures = find_member(*document, {"dsseEnvelope", "signatures"});
  if (signatures == nullptr || !signatures->is_array() || signatures->size() != 1) {
    finding.why = "it has no envelope with one signature";
    return finding;
  }
  const std::string type = find_text(*document, {"dsseEnvelope", "payloadType"});
  const auto payload = decode_base64(find_text(*document, {"dsseEnvelope", "payload"}));
  const auto signature = decode_base64(find_text(signatures->front(), {"sig"}));
  if (!payload || !signature || signature->empty()) {
    finding.why = "its payload or signature is not base64";
    return finding;
  }
  finding.signed_key =
      read_hint(find_text(*document, {"verificationMaterial", "publicKey", "hint"}));
  // The key decides, whatever the bundle says of itself.
  if (key.has_signed(signed_bytes(type, *payload), *signature)) {
    judge_statement(*payload, image, finding);
    return finding;
  }
  const bool has_key = find_member(*document, {"verificationMaterial", "publicKey"}) != nullptr;
  finding.verdict = !has_key                                  ? Verdict::Certificate
                    : finding.signed_key == key.fingerprint() ? Verdict::Changed
                                                              : Verdict::OtherKey;
  finding.why = !has_key                              ? "it is made with a certificate"
                : finding.verdict == Verdict::Changed ? "it names this key, which has not signed it"
                                                      : "it is made with another key";
  return finding;
}

}  // namespace slipway::sign
