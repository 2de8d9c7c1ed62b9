#include "plan/signatures.h"

#include <algorithm>

#include "oci/manifest.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kMostSignatures = 100;
constexpr std::uint64_t kMostLayerBytes = 4 << 20;
constexpr std::uint64_t kMostBytes = 32 << 20;  ///< of one image's

using ReadBlob = std::function<Result<std::string>(const oci::Descriptor&)>;

/// With its blobs; nothing where it is no signature.
Result<std::optional<sign::SignatureImage>> complete(const std::string& text,
                                                     const ReadBlob& read) {
  const oci::Manifest manifest = TRY(oci::parse_manifest(text));
  if (!sign::find_format(manifest)) return std::optional<sign::SignatureImage>();
  if (manifest.layers.size() > kMostSignatures) {
    return make_error(ErrorKind::Corrupt, "it holds {} signatures", manifest.layers.size());
  }
  sign::SignatureImage image{text, {manifest.config, TRY(read(manifest.config))}, {}};
  for (const oci::Descriptor& layer : manifest.layers) {
    image.layers.push_back({layer, TRY(read(layer))});
  }
  return std::optional(std::move(image));
}

void take(Result<std::optional<sign::SignatureImage>> found, const std::string& name,
          FoundSignatures& all) {
  if (!found.ok()) {
    all.troubles.push_back(fmt::format("`{}`: {}", name, found.error().message));
  } else if (*found) {
    all.images.push_back(std::move(**found));
  }
}

/// Fails only where asking the registry again would.
bool is_of_registry(const Error& error) {
  return error.kind == ErrorKind::Cancelled || error.kind == ErrorKind::Unavailable ||
         error.kind == ErrorKind::Denied;
}

class Fetch {
 public:
  Fetch(registry::Registry& registry, const std::string& repository, const CancelToken& cancel)
      : registry_(registry), repository_(repository), cancel_(cancel) {}

  Result<FoundSignatures> run(const Digest& image) {
    const auto referrers = registry_.list_referrers(repository_, image, "", cancel_);
    if (!referrers.ok() && is_of_registry(referrers.error())) return referrers.error();
    if (!referrers.ok()) found_.troubles.push_back(referrers.error().message);
    if (referrers.ok()) {
      std::size_t count = 0;
      for (const oci::Descriptor& one : *referrers) {
        if (++count > kMostSignatures) {
          found_.troubles.push_back(fmt::format("the other {} referrers are not looked at",
                                                referrers->size() - count + 1));
          break;
        }
        TRY(fetch(one.digest.text()));
      }
    }
    TRY(fetch(sign::simple_tag(image)));
    return std::move(found_);
  }

 private:
  /// Where the manifest is not there, there is no signature.
  Result<void> fetch(const std::string& reference) {
    const auto manifest = registry_.fetch_manifest(repository_, reference, cancel_);
    if (!manifest.ok() && is_of_registry(manifest.error())) return manifest.error();
    if (!manifest.ok() && manifest.error().kind == ErrorKind::NotFound) return {};
    if (!manifest.ok()) {
      found_.troubles.push_back(fmt::format("`{}`: {}", reference, manifest.error().message));
      return {};
    }
    const auto read = [&](const oci::Descriptor& blob) -> Result<std::string> {
      bytes_ += std::min(blob.size_bytes, kMostLayerBytes);
      if (bytes_ > kMostBytes) {
        return make_error(ErrorKind::Corrupt, "there are more signatures than any image has");
      }
      return registry_.fetch_small(repository_, blob, kMostLayerBytes, cancel_);
    };
    // An index that refers to the image is none of ours.
    if (!oci::is_manifest(manifest->media_type)) return {};
    auto whole = complete(manifest->text, read);
    if (!whole.ok() && is_of_registry(whole.error())) return whole.error();
    take(std::move(whole), reference, found_);
    return {};
  }

  registry::Registry& registry_;
  const std::string& repository_;
  const CancelToken& cancel_;
  FoundSignatures found_;
  std::uint64_t bytes_ = 0;
};

Result<void> send_part(registry::Registry& registry, const std::string& repository,
                       const sign::Part& part, const CancelToken& cancel) {
  const registry::Blob blob{part.descriptor.digest, part.descriptor.size_bytes,
                            [&](Sink& out) { return out.write(as_bytes(part.bytes)); }};
  TRY(registry.push_blob(repository, blob, {}, {}, cancel));
  return {};
}

/// The simple signatures that are there already, and after them the new ones.
Result<sign::SignatureImage> merge_simple(registry::Registry& registry,
                                          const std::string& repository, const Digest& image,
                                          const sign::SignatureImage& signature,
                                          const CancelToken& cancel) {
  std::vector<sign::Part> layers;
  const auto there = registry.fetch_manifest(repository, sign::simple_tag(image), cancel);
  if (!there.ok() && there.error().kind != ErrorKind::NotFound) return there.error();
  if (there.ok()) {
    const oci::Manifest manifest =
        TRY_WHILE("reading the signatures that are there", oci::parse_manifest(there->text));
    for (const oci::Descriptor& layer : manifest.layers) layers.push_back({layer, {}});
  }
  for (const sign::Part& part : signature.layers) {
    const auto is_same = [&](const sign::Part& other) {
      return other.descriptor == part.descriptor;
    };
    if (std::ranges::none_of(layers, is_same)) layers.push_back(part);
  }
  return sign::make_simple_image(std::move(layers));
}

}  // namespace

Result<FoundSignatures> read_signatures(const store::Store& store, const Digest& image) {
  FoundSignatures found;
  const auto read = [&](const oci::Descriptor& blob) {
    return store.read_blob(blob.digest, kMostLayerBytes);
  };
  for (const Digest& digest : TRY(store.list_referrers(image))) {
    const auto text = store.read_blob(digest, oci::kMostManifestBytes);
    if (text.ok()) {
      take(complete(*text, read), digest.text(), found);
    } else {
      found.troubles.push_back(fmt::format("`{}`: {}", digest.text(), text.error().message));
    }
  }
  return found;
}

Result<void> store_signature(const store::Store& store, const Digest& image,
                             const sign::SignatureImage& signature) {
  TRY(store.put_blob_bytes(as_bytes(signature.config.bytes)));
  for (const sign::Part& part : signature.layers) {
    TRY(store.put_blob_bytes(as_bytes(part.bytes)));
  }
  return store.add_referrer(image, TRY(store.put_blob_bytes(as_bytes(signature.manifest))));
}

Result<FoundSignatures> fetch_signatures(registry::Registry& registry,
                                         const std::string& repository, const Digest& image,
                                         const CancelToken& cancel) {
  return TRY_WHILE("looking for signatures", Fetch(registry, repository, cancel).run(image));
}

Result<void> send_signature(registry::Registry& registry, const std::string& repository,
                            const Digest& image, const sign::SignatureImage& signature,
                            const CancelToken& cancel) {
  const oci::Manifest manifest = TRY(oci::parse_manifest(signature.manifest));
  const bool is_simple = sign::find_format(manifest) == sign::Format::Simple;
  sign::SignatureImage sent = signature;
  if (is_simple) sent = TRY(merge_simple(registry, repository, image, signature, cancel));
  TRY(send_part(registry, repository, sent.config, cancel));
  for (const sign::Part& part : sent.layers) {
    if (!part.bytes.empty()) TRY(send_part(registry, repository, part, cancel));
  }
  if (!is_simple) return registry.push_referrer(repository, sent.manifest, cancel);
  return registry.push_manifest(repository, sign::simple_tag(image), oci::kMediaTypeManifest,
                                sent.manifest, cancel);
}

}  // namespace slipway::plan
