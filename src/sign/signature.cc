#include "sign/signature.h"

#include <algorithm>

namespace slipway::sign {
namespace {

constexpr std::string_view kBundlePrefix = "application/vnd.dev.sigstore.bundle";
constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";

Part make_part(std::string_view media_type, std::string bytes) {
  oci::Descriptor descriptor = oci::describe(media_type, bytes);
  return {std::move(descriptor), std::move(bytes)};
}

}  // namespace

std::string_view format_name(Format format) {
  return format == Format::Bundle ? "bundle" : "simple";
}

std::optional<Format> find_format(const oci::Manifest& manifest) {
  const auto& layers = manifest.layers;
  // As cosign has it: the layer's type says it, whatever the artifact calls itself.
  if (layers.size() == 1 && layers[0].media_type.starts_with(kBundlePrefix)) return Format::Bundle;
  const auto is_simple = [](const oci::Descriptor& one) { return one.media_type == kSimpleType; };
  if (std::ranges::any_of(layers, is_simple)) return Format::Simple;
  return std::nullopt;
}

std::string simple_tag(const Digest& image) { return fmt::format("sha256-{}.sig", image.hex()); }

SignatureImage make_bundle_image(const oci::Descriptor& image, const std::string& bundle) {
  SignatureImage made{{}, make_part(kEmptyType, "{}"), {make_part(kBundleType, bundle)}};
  oci::Manifest manifest;
  manifest.artifact_type = kBundleType;
  manifest.config = made.config.descriptor;
  manifest.layers = {made.layers[0].descriptor};
  manifest.subject = image;
  // What cosign writes there too; a registry's list of referrers shows it.
  manifest.annotations = {
      {"dev.sigstore.bundle.content", "dsse-envelope"},
      {"dev.sigstore.bundle.predicateType", "https://sigstore.dev/cosign/sign/v1"}};
  made.manifest = oci::encode_manifest(manifest);
  return made;
}

SignatureImage make_simple_image(std::vector<Part> layers) {
  std::vector<std::string> diff_ids;
  oci::Manifest manifest;
  for (const Part& layer : layers) {
    diff_ids.push_back(fmt::format("\"{}\"", layer.descriptor.digest.text()));
    manifest.layers.push_back(layer.descriptor);
  }
  std::string config = fmt::format(
      "{{\"architecture\":\"\",\"os\":\"\",\"config\":{{}},"
      "\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[{}]}}}}",
      fmt::join(diff_ids, ","));
  SignatureImage made{{}, make_part(oci::kMediaTypeConfig, std::move(config)), std::move(layers)};
  manifest.config = made.config.descriptor;
  made.manifest = oci::encode_manifest(manifest);
  return made;
}

}  // namespace slipway::sign
