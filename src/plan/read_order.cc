#include "plan/read_order.h"

#include <set>

namespace slipway::plan {
namespace {

constexpr std::uint64_t kMostBytes = 16 << 20;
constexpr std::size_t kMostReferrers = 8;
/// image-spec manifest.md, "Guidance for an Empty Descriptor".
constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";
constexpr std::string_view kEmpty = "{}";

bool is_read_order(const oci::Manifest& manifest) {
  return manifest.artifact_type == kReadOrderType && manifest.layers.size() == 1;
}

Result<void> send_text(registry::Registry& registry, const std::string& repository,
                       const std::string& text, const CancelToken& cancel) {
  const registry::Blob blob{sha256(text), text.size(),
                            [&](Sink& out) { return out.write(as_bytes(text)); }};
  TRY(registry.push_blob(repository, blob, {}, {}, cancel));
  return {};
}

}  // namespace

std::vector<std::string> parse_read_order(std::string_view text) {
  std::vector<std::string> paths;
  std::set<std::string_view> seen;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view path = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (path.starts_with('/') && seen.insert(path).second) paths.emplace_back(path);
  }
  return paths;
}

Result<void> store_read_order(const store::Store& store, const StoredImage& image,
                              const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) text += path + "\n";
  oci::Manifest manifest;
  manifest.artifact_type = kReadOrderType;
  manifest.config = oci::describe(kEmptyType, kEmpty);
  manifest.layers = {oci::describe(kReadOrderType, text)};
  const std::string its_manifest = TRY(store.read_blob(image.digest, oci::kMostManifestBytes));
  manifest.subject = oci::describe(image.manifest.media_type, its_manifest);
  TRY(store.put_blob_bytes(as_bytes(kEmpty)));
  TRY(store.put_blob_bytes(as_bytes(text)));
  const Digest digest = TRY(store.put_blob_bytes(as_bytes(oci::encode_manifest(manifest))));
  return store.add_referrer(image.digest, digest);
}

Result<std::size_t> send_read_orders(registry::Registry& registry, const std::string& repository,
                                     const store::Store& store, const Digest& image,
                                     const CancelToken& cancel) {
  std::size_t count = 0;
  for (const Digest& referrer : TRY(store.list_referrers(image))) {
    const std::string text = TRY(store.read_blob(referrer, oci::kMostManifestBytes));
    const oci::Manifest manifest = TRY(oci::parse_manifest(text));
    if (!is_read_order(manifest)) continue;
    const std::string paths = TRY(store.read_blob(manifest.layers[0].digest, kMostBytes));
    TRY(send_text(registry, repository, std::string(kEmpty), cancel));
    TRY(send_text(registry, repository, paths, cancel));
    TRY(registry.push_referrer(repository, text, cancel));
    ++count;
  }
  return count;
}

Result<std::vector<std::string>> fetch_read_order(registry::Registry& registry,
                                                  const std::string& repository,
                                                  const Digest& image, const CancelToken& cancel) {
  std::string all;
  const auto referrers = registry.list_referrers(repository, image, kReadOrderType, cancel);
  TRY(cancel.check());
  if (!referrers.ok()) return std::vector<std::string>();
  for (std::size_t i = 0; i < std::min(referrers->size(), kMostReferrers); ++i) {
    const auto text = [&]() -> Result<std::string> {
      const auto found =
          TRY(registry.fetch_manifest(repository, (*referrers)[i].digest.text(), cancel));
      const oci::Manifest manifest = TRY(oci::parse_manifest(found.text));
      if (!is_read_order(manifest)) return std::string();
      return registry.fetch_small(repository, manifest.layers[0], kMostBytes, cancel);
    }();
    TRY(cancel.check());
    if (text.ok()) all += *text + "\n";
  }
  return parse_read_order(all);
}

}  // namespace slipway::plan
