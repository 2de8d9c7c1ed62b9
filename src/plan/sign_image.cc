#include "plan/sign_image.h"

#include <algorithm>
#include <optional>

#include "plan/signatures.h"
#include "plan/stored_images.h"
#include "sign/bundle.h"
#include "sign/check.h"
#include "sign/simple_signing.h"

namespace slipway::plan {
namespace {

/// Which image is meant, and where.
struct Target {
  std::string reference;
  std::string repository;        ///< `host/name`, or the name in the store
  std::optional<Digest> digest;  ///< not yet known for a tag that only a registry has
  std::optional<ImagePlace> place;
  std::string tag;
  bool is_in_store = false;
};

Result<Target> find_target(const std::string& image, registry::Trust trust,
                           const store::Store& store, const Tools& tools) {
  const auto parsed = store::parse_image_reference(image);
  if (parsed.ok() && !parsed->name.registry.empty()) {
    Target target{image, {}, parsed->digest, {}, parsed->name.tag, false};
    const auto stored = TRY(store.find_image(parsed->name));
    if (!target.digest) target.digest = stored;
    target.is_in_store = target.digest && store.has_blob(*target.digest);
    target.place = TRY(find_place(parsed->name, trust, tools));
    target.repository = fmt::format("{}/{}", parsed->name.registry, parsed->name.name);
    return target;
  }
  auto found = find_stored_image(image, tools);
  if (!found.ok() && found.error().kind == ErrorKind::NotFound) {
    return std::move(found).error().hint("one at a registry is called `HOST/NAME:TAG`");
  }
  if (!found.ok()) return found.error();
  const store::ImageName name = TRY(store::parse_image_name(found->reference));
  const std::string host = name.registry.empty() ? "" : name.registry + "/";
  return Target{found->reference, host + name.name, found->digest, {}, name.tag, true};
}

Result<oci::Descriptor> describe_stored(const store::Store& store, const Digest& digest) {
  const std::string text = TRY(store.read_blob(digest, oci::kMostManifestBytes));
  return oci::describe(TRY(oci::parse_manifest(text)).media_type, text);
}

/// What is signed at the registry; it has to be what the store has under the same name.
Result<oci::Descriptor> describe_remote(registry::Registry& registry, const Target& target,
                                        bool is_by_digest, const Tools& tools) {
  const std::string reference = is_by_digest ? target.digest->text() : target.tag;
  const registry::FetchedManifest manifest =
      TRY(registry.fetch_manifest(target.place->repository, reference, tools.cancel));
  if (!is_by_digest && target.digest && *target.digest != manifest.digest) {
    return make_error(ErrorKind::InvalidInput, "`{}` is not the same here and at the registry",
                      target.reference)
        .reason(fmt::format("the store has {}", target.digest->text()))
        .reason(fmt::format("the registry has {}", manifest.digest.text()))
        .hint(fmt::format("write which one: `{}@sha256:…`", target.repository));
  }
  return oci::describe(manifest.media_type, manifest.text);
}

Result<std::vector<sign::SignatureImage>> make_signatures(const SignRequest& request,
                                                          const std::string& repository,
                                                          const oci::Descriptor& image,
                                                          const sign::PrivateKey& key) {
  std::vector<sign::SignatureImage> made;
  for (const sign::Format format : request.formats) {
    if (format == sign::Format::Bundle) {
      const std::string bundle = TRY(sign::make_bundle(image.digest, key));
      made.push_back(sign::make_bundle_image(image, bundle));
    } else {
      const sign::Part part = TRY(sign::make_simple(repository, image.digest, key));
      made.push_back(sign::make_simple_image({part}));
    }
  }
  return made;
}

/// How much a verdict tells, least first.
int weight_of(sign::Verdict verdict) {
  using enum sign::Verdict;
  constexpr sign::Verdict kOrder[] = {Unreadable, Certificate, OtherKey, OtherClaim,
                                      Changed,    OtherDigest, Good};
  return static_cast<int>(std::ranges::find(kOrder, verdict) - std::begin(kOrder));
}

void check_all(const FoundSignatures& found, const std::string& place, const sign::PublicKey& key,
               CheckedSignatures& checked) {
  for (const sign::SignatureImage& image : found.images) {
    for (sign::Finding& finding : sign::check_signature(image, key, checked.digest)) {
      checked.findings.push_back({std::move(finding), place});
    }
  }
  for (const std::string& trouble : found.troubles) {
    checked.troubles.push_back(fmt::format("{}: {}", place, trouble));
  }
}

}  // namespace

Result<SignedImage> sign_image(const SignRequest& request, const sign::PrivateKey& key,
                               const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const Target target = TRY(find_target(request.image, request.trust, store, tools));
  SignedImage done{target.reference, {}, target.place.has_value(), target.is_in_store};
  if (!target.place) {
    const oci::Descriptor image = TRY(describe_stored(store, *target.digest));
    for (const auto& one : TRY(make_signatures(request, target.repository, image, key))) {
      TRY(store_signature(store, image.digest, one));
    }
    done.digest = image.digest;
    return done;
  }
  registry::Registry registry = TRY(registry::Registry::open(target.place->host, {}, tools.cancel));
  const bool is_by_digest = TRY(store::parse_image_reference(request.image)).digest.has_value();
  const oci::Descriptor image = TRY(describe_remote(registry, target, is_by_digest, tools));
  done.digest = image.digest;
  done.is_in_store = store.has_blob(image.digest);
  for (const auto& one : TRY(make_signatures(request, target.repository, image, key))) {
    TRY_WHILE(fmt::format("sending the signature of `{}`", target.reference),
              send_signature(registry, target.place->repository, image.digest, one, tools.cancel));
    if (done.is_in_store) TRY(store_signature(store, image.digest, one));
  }
  return done;
}

bool CheckedSignatures::is_signed() const {
  return std::ranges::any_of(
      findings, [](const auto& one) { return one.finding.verdict == sign::Verdict::Good; });
}

sign::Verdict CheckedSignatures::verdict() const {
  sign::Verdict most = sign::Verdict::Unreadable;
  for (const PlacedFinding& one : findings) {
    if (weight_of(one.finding.verdict) > weight_of(most)) most = one.finding.verdict;
  }
  return most;
}

Result<CheckedSignatures> check_signatures(const std::string& image, registry::Trust trust,
                                           const sign::PublicKey& key, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const Target target = TRY(find_target(image, trust, store, tools));
  CheckedSignatures checked{target.reference, {}, {}, {}};
  if (target.digest) {
    checked.digest = *target.digest;
    check_all(TRY(read_signatures(store, checked.digest)), "store", key, checked);
    if (checked.is_signed() || !target.place) return checked;
  }
  registry::Registry registry = TRY(registry::Registry::open(target.place->host, {}, tools.cancel));
  const std::string& repository = target.place->repository;
  if (!target.is_in_store) {
    const std::string reference = target.digest ? target.digest->text() : target.tag;
    checked.digest = TRY(registry.fetch_manifest(repository, reference, tools.cancel)).digest;
  }
  const FoundSignatures found =
      TRY(fetch_signatures(registry, repository, checked.digest, tools.cancel));
  check_all(found, target.place->name.registry, key, checked);
  return checked;
}

}  // namespace slipway::plan
