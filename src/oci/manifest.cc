#include "oci/manifest.h"

#include "oci/json_reader.h"
#include "oci/json_writer.h"

namespace slipway::oci {
namespace {

Result<std::optional<Platform>> read_platform(const JsonNodeView& node) {
  if (node.is_absent()) return std::optional<Platform>();
  Platform platform;
  platform.architecture = TRY(node.member("architecture").required_text());
  platform.os = TRY(node.member("os").required_text());
  platform.os_version = TRY(node.member("os.version").text());
  platform.os_features = TRY(node.member("os.features").texts());
  platform.variant = TRY(node.member("variant").text());
  return std::optional<Platform>(std::move(platform));
}

Result<Descriptor> read_descriptor(const JsonNodeView& node) {
  Descriptor descriptor;
  const JsonNodeView media_type = node.member("mediaType");
  descriptor.media_type = TRY(media_type.required_text());
  if (!is_media_type(descriptor.media_type)) return media_type.corrupt("is not a media type");
  descriptor.digest = TRY(node.member("digest").digest());
  descriptor.size_bytes = TRY(node.member("size").number());
  descriptor.urls = TRY(node.member("urls").texts());
  descriptor.annotations = TRY(node.member("annotations").text_map());
  descriptor.platform = TRY(read_platform(node.member("platform")));
  descriptor.artifact_type = TRY(node.member("artifactType").text());
  return descriptor;
}

Result<std::vector<Descriptor>> read_descriptors(const JsonNodeView& node) {
  if (node.is_absent()) return node.corrupt("is missing");
  std::vector<Descriptor> descriptors;
  for (const JsonNodeView& item : TRY(node.items())) {
    descriptors.push_back(TRY(read_descriptor(item)));
  }
  return descriptors;
}

Result<std::optional<Descriptor>> read_subject(const JsonNodeView& node) {
  if (node.is_absent()) return std::optional<Descriptor>();
  return std::optional<Descriptor>(TRY(read_descriptor(node)));
}

/// What manifest and index have in common. `foreign` are the fields of the other kind: a document
/// that reads as both is an attack (image-spec 1.0.2, on CVE-2021-41190).
Result<std::string> read_head(const JsonNodeView& root, bool (*fits)(std::string_view),
                              std::string_view usual, std::initializer_list<const char*> foreign) {
  const JsonNodeView version = root.member("schemaVersion");
  if (TRY(version.number()) != 2) return version.corrupt("is not 2");
  for (const char* key : foreign) {
    const JsonNodeView node = root.member(key);
    if (!node.is_absent()) return node.corrupt("does not belong here");
  }
  const JsonNodeView node = root.member("mediaType");
  std::string media_type = TRY(node.text());
  if (media_type.empty()) return std::string(usual);
  if (!fits(media_type)) return node.corrupt("is of something else");
  return media_type;
}

void write_platform(JsonWriter& out, const Platform& platform) {
  out.key("platform");
  out.begin_object();
  out.member("architecture", platform.architecture);
  out.member("os", platform.os);
  out.member("os.version", platform.os_version);
  out.member("os.features", platform.os_features);
  out.member("variant", platform.variant);
  out.end_object();
}

void write_descriptor(JsonWriter& out, const Descriptor& descriptor) {
  out.begin_object();
  out.member("mediaType", descriptor.media_type);
  out.member("digest", descriptor.digest.text());
  out.key("size");
  out.number(descriptor.size_bytes);
  out.member("urls", descriptor.urls);
  out.member("annotations", descriptor.annotations);
  if (descriptor.platform) write_platform(out, *descriptor.platform);
  out.member("artifactType", descriptor.artifact_type);
  out.end_object();
}

void write_head(JsonWriter& out, const std::string& media_type, const std::string& artifact_type) {
  out.begin_object();
  out.key("schemaVersion");
  out.number(2);
  out.member("mediaType", media_type);
  out.member("artifactType", artifact_type);
}

void write_descriptors(JsonWriter& out, std::string_view key,
                       const std::vector<Descriptor>& descriptors) {
  out.key(key);
  out.begin_array();
  for (const Descriptor& descriptor : descriptors) write_descriptor(out, descriptor);
  out.end_array();
}

void write_tail(JsonWriter& out, const std::optional<Descriptor>& subject,
                const Annotations& annotations) {
  if (subject) {
    out.key("subject");
    write_descriptor(out, *subject);
  }
  out.member("annotations", annotations);
  out.end_object();
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  const nlohmann::json document = TRY(parse_json(text, "manifest", kMostManifestBytes));
  const JsonNodeView root(document, "manifest");
  Manifest manifest;
  manifest.media_type =
      TRY(read_head(root, is_manifest, kMediaTypeManifest, {"manifests", "fsLayers"}));
  manifest.artifact_type = TRY(root.member("artifactType").text());
  const JsonNodeView config = root.member("config");
  if (config.is_absent()) return config.corrupt("is missing");
  manifest.config = TRY(read_descriptor(config));
  manifest.layers = TRY(read_descriptors(root.member("layers")));
  manifest.subject = TRY(read_subject(root.member("subject")));
  manifest.annotations = TRY(root.member("annotations").text_map());
  return manifest;
}

std::string encode_manifest(const Manifest& manifest) {
  JsonWriter out;
  write_head(out, manifest.media_type, manifest.artifact_type);
  out.key("config");
  write_descriptor(out, manifest.config);
  write_descriptors(out, "layers", manifest.layers);
  write_tail(out, manifest.subject, manifest.annotations);
  return out.take();
}

Result<Index> parse_index(std::string_view text) {
  const nlohmann::json document = TRY(parse_json(text, "index", kMostManifestBytes));
  const JsonNodeView root(document, "index");
  Index index;
  index.media_type =
      TRY(read_head(root, is_index, kMediaTypeIndex, {"config", "layers", "fsLayers"}));
  index.artifact_type = TRY(root.member("artifactType").text());
  index.manifests = TRY(read_descriptors(root.member("manifests")));
  index.subject = TRY(read_subject(root.member("subject")));
  index.annotations = TRY(root.member("annotations").text_map());
  return index;
}

std::string encode_index(const Index& index) {
  JsonWriter out;
  write_head(out, index.media_type, index.artifact_type);
  write_descriptors(out, "manifests", index.manifests);
  write_tail(out, index.subject, index.annotations);
  return out.take();
}

Descriptor describe(std::string_view media_type, std::string_view bytes) {
  Descriptor descriptor;
  descriptor.media_type = media_type;
  descriptor.digest = sha256(bytes);
  descriptor.size_bytes = bytes.size();
  return descriptor;
}

}  // namespace slipway::oci
