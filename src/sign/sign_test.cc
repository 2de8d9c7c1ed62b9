#include <doctest/doctest.h>

#include "base/base64.h"
#include "sign/bundle.h"
#include "sign/key_file.h"
#include "sign/pem.h"
#include "sign/secret_box.h"
#include "sign/simple_signing.h"

using namespace slipway;
using namespace slipway::sign;

namespace {

// Made by cosign 3.1.3: `cosign generate-key-pair`, `cosign sign --key cosign.key`.
constexpr const char* kCosignKey =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeS4s05U6JHpZbWA3w4fqVL1O1EP7\n"
    "dGjUKrgoYvSnwbIeVonAFKm9YA8fiaJdr6ounssvKFaN26Q8o7QYi/aL3Q==\n"
    "-----END PUBLIC KEY-----\n";
constexpr const char* kCosignImage =
    "sha256:8d0eacb4f4bcc4dac5aa3099023816a040c0477b4672cb9926668e18f6982b5f";
constexpr const char* kCosignBundle =
    R"({"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial":{"p)"
    R"(ublicKey":{"hint":"qsKs0k5P0B5P6jqMLUs1Ld/j+38mgm3IggNwVp9R+jw="}}, "dsseEnvelope":{"pay)"
    R"(load":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCAic3ViamVjdCI6W3siZGlnZ)"
    R"(XN0Ijp7InNoYTI1NiI6IjhkMGVhY2I0ZjRiY2M0ZGFjNWFhMzA5OTAyMzgxNmEwNDBjMDQ3N2I0NjcyY2I5OTI2N)"
    R"(jY4ZTE4ZjY5ODJiNWYifSwgImFubm90YXRpb25zIjp7fX1dLCAicHJlZGljYXRlVHlwZSI6Imh0dHBzOi8vc2lnc)"
    R"(3RvcmUuZGV2L2Nvc2lnbi9zaWduL3YxIiwgInByZWRpY2F0ZSI6e319", "payloadType":"application/vnd)"
    R"(.in-toto+json", "signatures":[{"sig":"MEUCIAZ6TbJGEcQvHqTm2L+15s0gAbG1UE6IHfsH3CR3BpG5Ai)"
    R"(EAx5Kg+nmUwPLc2mCFx2fLju3vfkzl0Zw9Cc1Qhl0n/o0="}]}})";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return bytes;
}

PrivateKey new_key() { return PrivateKey::generate().value(); }

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

const AskPassphrase kNobody = []() -> Result<std::string> {
  return make_error(ErrorKind::Denied, "nobody is there");
};
AskPassphrase says(const std::string& text) {
  return [text]() -> Result<std::string> { return text; };
}

}  // namespace

TEST_CASE("secret box: NaCl's own vector, both ways") {
  const std::string key =
      from_hex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
  const std::string nonce = from_hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
  const std::string message = from_hex(
      "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c"
      "61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f"
      "21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705");
  const std::string box = from_hex(
      "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1"
      "186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab9321645"
      "48e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b"
      "1f654cb45a74e355a5");
  CHECK(seal_box(message, nonce, key) == box);
  CHECK(open_box(box, nonce, key) == message);
  for (std::size_t i = 0; i < box.size(); i += 7) {
    std::string changed = box;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK(!open_box(changed, nonce, key).has_value());
  }
  CHECK(!open_box(box.substr(0, 15), nonce, key).has_value());
}

TEST_CASE("keys: files of every kind, and what is no key") {
  const PrivateKey key = new_key();
  const std::string plain = encode_pem("PRIVATE KEY", key.pkcs8().value());
  const auto read = parse_private_key(plain, "k", kNobody);
  REQUIRE(read.ok());
  CHECK(!read->is_locked);
  CHECK(read->key.public_key().der() == key.public_key().der());
  const std::string locked = encode_private_key(key, "secret").value();
  CHECK(locked.find("ENCRYPTED SIGSTORE PRIVATE KEY") != std::string::npos);
  const auto opened = parse_private_key(locked, "k", says("secret"));
  REQUIRE(opened.ok());
  CHECK(opened->is_locked);
  CHECK(opened->key.public_key().der() == key.public_key().der());
  CHECK(parse_private_key(locked, "k", says("other")).error().kind == ErrorKind::Denied);
  CHECK(parse_private_key(locked, "k", kNobody).error().message == "nobody is there");

  const std::string known = key.public_key().pem();
  CHECK(parse_public_key(known, "k")->fingerprint() == key.public_key().fingerprint());
  CHECK(parse_public_key("# mine\r\n" + known, "k").ok());
  struct Case {
    std::string name, text;
    ErrorKind kind;
  };
  const Case cases[] = {
      {"nothing", "", ErrorKind::Corrupt},
      {"cut off", plain.substr(0, plain.size() - 20), ErrorKind::Corrupt},
      {"not base64", replaced(plain, "KEY-----\nM", "KEY-----\n*"), ErrorKind::Corrupt},
      {"no key in it", encode_pem("PRIVATE KEY", "x"), ErrorKind::Corrupt},
      {"public", known, ErrorKind::InvalidInput},
      {"certificate", encode_pem("CERTIFICATE", "x"), ErrorKind::Unsupported},
      {"of SSH", encode_pem("OPENSSH PRIVATE KEY", "x"), ErrorKind::Unsupported},
      {"large", std::string(1 << 20, 'x'), ErrorKind::Corrupt},
      {"sealed nothing", encode_pem("ENCRYPTED SIGSTORE PRIVATE KEY", "{}"),
       ErrorKind::Unsupported},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const auto refused = parse_private_key(one.text, "k", says(""));
    REQUIRE(!refused.ok());
    CHECK(refused.error().kind == one.kind);
  }
  CHECK(parse_public_key(plain, "k").error().kind == ErrorKind::InvalidInput);
  CHECK(parse_public_key(locked, "k").error().kind == ErrorKind::InvalidInput);
}

TEST_CASE("keys: Ed25519, RFC 8032's own vector") {  // section 7.1, test 3
  const std::string seed =
      from_hex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7");
  const std::string known =
      from_hex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const std::string message = from_hex("af82");
  const std::string signature = from_hex(
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
      "4dc6594a7c15e9716ed28dc027beceea1ec40a");
  const auto key = PrivateKey::parse_pkcs8(from_hex("302e020100300506032b657004220420") + seed);
  REQUIRE(key.ok());
  const PublicKey& pair = key->public_key();
  CHECK(pair.der() == from_hex("302a300506032b6570032100") + known);
  CHECK(key->sign(message).value() == signature);
  CHECK(pair.has_signed(message, signature));
  CHECK(!pair.has_signed("other", signature));
  CHECK(!pair.has_signed(message, signature.substr(1)));
  CHECK(!pair.has_signed(message, ""));
  CHECK(!new_key().public_key().has_signed(message, signature));
  const std::string locked = encode_private_key(*key, "secret").value();
  CHECK(parse_private_key(locked, "k", says("secret"))->key.sign(message).value() == signature);
}

TEST_CASE("keys: the prehashed form of Ed25519 is taken, RFC 8032's own vector") {  // 7.3
  const auto key = PublicKey::parse(
      from_hex("302a300506032b6570032100"
               "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf"));
  REQUIRE(key.ok());
  const std::string signature = from_hex(
      "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062"
      "adf5aaa10b8c61e636062aaad11c2a26083406");
  CHECK(key->has_signed("abc", signature));
  CHECK(!key->has_signed("abd", signature));
}

TEST_CASE("keys: scrypt is not asked for the impossible") {
  const PrivateKey key = new_key();
  const std::string locked = encode_private_key(key, "").value();
  const std::string json = parse_pem(locked)->front().bytes;
  for (const char* n : {"65537", "0", "1", "4294967296", "16777216", "-4", "\"x\""}) {
    CAPTURE(n);
    const std::string changed =
        encode_pem("ENCRYPTED SIGSTORE PRIVATE KEY", replaced(json, "65536", n));
    CHECK(parse_private_key(changed, "k", says("")).error().kind == ErrorKind::Unsupported);
  }
}

TEST_CASE("bundle: what cosign made") {
  const PublicKey key = parse_public_key(kCosignKey, "cosign.pub").value();
  const Digest image = parse_digest(kCosignImage).value();
  const Finding found = check_bundle(kCosignBundle, key, image);
  CHECK(found.verdict == Verdict::Good);
  CHECK(found.signed_key == key.fingerprint());
  CHECK(check_bundle(kCosignBundle, key, sha256("other")).verdict == Verdict::OtherDigest);
  CHECK(check_bundle(kCosignBundle, new_key().public_key(), image).verdict == Verdict::OtherKey);
}

TEST_CASE("bundle: ours, and what others make of it") {
  const PrivateKey key = new_key();
  const PublicKey& known = key.public_key();
  const Digest image = sha256("image");
  const std::string bundle = make_bundle(image, key).value();
  CHECK(check_bundle(bundle, known, image).verdict == Verdict::Good);
  const Finding other = check_bundle(bundle, known, sha256("other image"));
  CHECK(other.verdict == Verdict::OtherDigest);
  CHECK(other.digest == image);

  // The payload of another image under this signature.
  const std::string theirs = make_bundle(sha256("other image"), key).value();
  const auto payload_of = [](const std::string& text) {
    const std::size_t begin = text.find("\"payload\":\"") + 11;
    return text.substr(begin, text.find('"', begin) - begin);
  };
  const std::string mixed = replaced(bundle, payload_of(bundle), payload_of(theirs));
  CHECK(check_bundle(mixed, known, image).verdict == Verdict::Changed);
  CHECK(check_bundle(mixed, known, sha256("other image")).verdict == Verdict::Changed);
  CHECK(check_bundle(replaced(bundle, "vnd.in-toto+json", "vnd.in-toto+jsom"), known, image)
            .verdict == Verdict::Changed);
  CHECK(check_bundle(replaced(bundle, "publicKey", "certificate"), new_key().public_key(), image)
            .verdict == Verdict::Certificate);
  // What it says of its key does not matter where the key has signed.
  CHECK(check_bundle(replaced(bundle, "\"hint\":\"", "\"hint\":\"x"), known, image).verdict ==
        Verdict::Good);

  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), bundle.substr(0, bundle.size() / 2),
        replaced(bundle, "\"sig\":\"", "\"sig\":\"*"), replaced(bundle, "\"sig\":\"", "\"gis\":\""),
        replaced(bundle, "[{\"sig\"", "[{},{\"sig\""), bundle + std::string(5 << 20, ' '),
        replaced(bundle, "\"payload\":\"", "\"payload\":7,\"x\":\"")}) {
    CHECK(check_bundle(text, known, image).verdict != Verdict::Good);
  }
}

TEST_CASE("bundle: an attestation by the same key is no signature") {
  const PrivateKey key = new_key();
  const Digest image = sha256("image");
  const std::string bundle = make_bundle(image, key).value();
  const std::string packed = bundle.substr(bundle.find("\"payload\":\"") + 11);
  const std::string payload = decode_base64(packed.substr(0, packed.find('"'))).value();
  const std::string sig = packed.substr(packed.find("\"sig\":\"") + 7);
  for (const auto& [from, to] : std::initializer_list<std::pair<const char*, const char*>>{
           {"https://sigstore.dev/cosign/sign/v1", "https://example.com/scan/failed"},
           {"https://in-toto.io/Statement/v1", "https://example.com/v1"}}) {
    const std::string other = replaced(payload, from, to);
    const std::string pae =
        fmt::format("DSSEv1 28 application/vnd.in-toto+json {} {}", other.size(), other);
    std::string changed =
        replaced(bundle, packed.substr(0, packed.find('"')), encode_base64(other));
    changed = replaced(changed, sig.substr(0, sig.find('"')), encode_base64(key.sign(pae).value()));
    CHECK(check_bundle(changed, key.public_key(), image).verdict == Verdict::OtherClaim);
  }
}

TEST_CASE("simple signing: ours, and what others make of it") {
  const PrivateKey key = new_key();
  const PublicKey& known = key.public_key();
  const Digest image = sha256("image");
  const Part part = make_simple("registry.example/team/x", image, key).value();
  const std::string signature = part.descriptor.annotations.at(std::string(kSignatureKey));
  CHECK(check_simple(part.bytes, signature, known, image).verdict == Verdict::Good);
  const Finding other = check_simple(part.bytes, signature, known, sha256("other"));
  CHECK(other.verdict == Verdict::OtherDigest);
  CHECK(other.digest == image);
  CHECK(check_simple(part.bytes, signature, new_key().public_key(), image).verdict ==
        Verdict::OtherKey);
  CHECK(check_simple(replaced(part.bytes, "team/x", "team/y"), signature, known, image).verdict ==
        Verdict::OtherKey);
  CHECK(check_simple(part.bytes, "*", known, image).verdict == Verdict::Unreadable);
  CHECK(check_simple(part.bytes, "", known, image).verdict == Verdict::Unreadable);
  const std::string atomic = replaced(part.bytes, "cosign container", "atomic container");
  CHECK(check_simple(atomic, encode_base64(key.sign(atomic).value()), known, image).verdict ==
        Verdict::OtherClaim);
}

TEST_CASE("signature images: found by their layers, the same bytes for the same signature") {
  const PrivateKey key = new_key();
  const oci::Descriptor image = oci::describe(oci::kMediaTypeManifest, "image");
  const std::string bundle = make_bundle(image.digest, key).value();
  const SignatureImage one = make_bundle_image(image, bundle);
  CHECK(one.manifest == make_bundle_image(image, bundle).manifest);
  const oci::Manifest manifest = oci::parse_manifest(one.manifest).value();
  CHECK(find_format(manifest) == Format::Bundle);
  CHECK(manifest.subject->digest == image.digest);
  CHECK(manifest.artifact_type == kBundleType);
  const Part part = make_simple("x", image.digest, key).value();
  const SignatureImage two = make_simple_image({part, part});
  const oci::Manifest simple = oci::parse_manifest(two.manifest).value();
  CHECK(find_format(simple) == Format::Simple);
  CHECK(simple.layers.size() == 2);
  CHECK(simple.config.digest == sha256(two.config.bytes));
  CHECK(!find_format(oci::Manifest()).has_value());
  CHECK(simple_tag(sha256("")) ==
        "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.sig");
}
