#include "oci/image_config.h"

#include "oci/json_reader.h"
#include "oci/json_writer.h"

namespace slipway::oci {
namespace {

Result<std::vector<Digest>> read_diff_ids(const JsonNodeView& rootfs) {
  if (rootfs.is_absent()) return rootfs.corrupt("is missing");
  const JsonNodeView type = rootfs.member("type");
  if (TRY(type.required_text()) != "layers") return type.corrupt("is not `layers`");
  const JsonNodeView list = rootfs.member("diff_ids");
  if (list.is_absent()) return list.corrupt("is missing");
  std::vector<Digest> diff_ids;
  for (const JsonNodeView& item : TRY(list.items())) diff_ids.push_back(TRY(item.digest()));
  return diff_ids;
}

Result<std::vector<History>> read_history(const JsonNodeView& node) {
  std::vector<History> history;
  for (const JsonNodeView& item : TRY(node.items())) {
    History entry;
    entry.created = TRY(item.member("created").text());
    entry.created_by = TRY(item.member("created_by").text());
    entry.author = TRY(item.member("author").text());
    entry.comment = TRY(item.member("comment").text());
    entry.empty_layer = TRY(item.member("empty_layer").flag());
    history.push_back(std::move(entry));
  }
  return history;
}

/// The member `config`: how a container of the image starts.
Result<void> read_start(const JsonNodeView& node, ImageConfig& config) {
  config.user = TRY(node.member("User").text());
  config.exposed_ports = TRY(node.member("ExposedPorts").keys());
  config.env = TRY(node.member("Env").texts());
  config.entrypoint = TRY(node.member("Entrypoint").texts());
  config.cmd = TRY(node.member("Cmd").texts());
  config.volumes = TRY(node.member("Volumes").keys());
  config.working_folder = TRY(node.member("WorkingDir").text());
  config.labels = TRY(node.member("Labels").text_map());
  config.stop_signal = TRY(node.member("StopSignal").text());
  return {};
}

void write_start(JsonWriter& out, const ImageConfig& config) {
  out.key("config");
  out.begin_object();
  out.member("User", config.user);
  out.member("ExposedPorts", config.exposed_ports);
  out.member("Env", config.env);
  out.member("Entrypoint", config.entrypoint);
  out.member("Cmd", config.cmd);
  out.member("Volumes", config.volumes);
  out.member("WorkingDir", config.working_folder);
  out.member("Labels", config.labels);
  out.member("StopSignal", config.stop_signal);
  out.end_object();
}

void write_rootfs(JsonWriter& out, const std::vector<Digest>& diff_ids) {
  out.key("rootfs");
  out.begin_object();
  out.member("type", "layers");
  out.key("diff_ids");
  out.begin_array();
  for (const Digest& diff_id : diff_ids) out.text(diff_id.text());
  out.end_array();
  out.end_object();
}

void write_history(JsonWriter& out, const std::vector<History>& history) {
  if (history.empty()) return;
  out.key("history");
  out.begin_array();
  for (const History& entry : history) {
    out.begin_object();
    out.member("created", entry.created);
    out.member("created_by", entry.created_by);
    out.member("author", entry.author);
    out.member("comment", entry.comment);
    if (entry.empty_layer) {
      out.key("empty_layer");
      out.flag(true);
    }
    out.end_object();
  }
  out.end_array();
}

}  // namespace

Result<ImageConfig> parse_image_config(std::string_view text) {
  const nlohmann::json document = TRY(parse_json(text, "image config", kMostConfigBytes));
  const JsonNodeView root(document, "image config");
  ImageConfig config;
  config.created = TRY(root.member("created").text());
  config.author = TRY(root.member("author").text());
  config.platform.architecture = TRY(root.member("architecture").required_text());
  config.platform.os = TRY(root.member("os").required_text());
  config.platform.variant = TRY(root.member("variant").text());
  config.platform.os_version = TRY(root.member("os.version").text());
  config.platform.os_features = TRY(root.member("os.features").texts());
  TRY(read_start(root.member("config"), config));
  config.diff_ids = TRY(read_diff_ids(root.member("rootfs")));
  config.history = TRY(read_history(root.member("history")));
  return config;
}

std::string encode_image_config(const ImageConfig& config) {
  JsonWriter out;
  out.begin_object();
  out.member("created", config.created);
  out.member("author", config.author);
  out.member("architecture", config.platform.architecture);
  out.member("variant", config.platform.variant);
  out.member("os", config.platform.os);
  out.member("os.version", config.platform.os_version);
  out.member("os.features", config.platform.os_features);
  write_start(out, config);
  write_rootfs(out, config.diff_ids);
  write_history(out, config.history);
  out.end_object();
  return out.take();
}

Result<void> check_same_layers(const Manifest& manifest, const ImageConfig& config) {
  if (manifest.layers.size() != config.diff_ids.size()) {
    return make_error(ErrorKind::Corrupt,
                      "manifest and config do not belong together: {} layers, {} diff_ids",
                      manifest.layers.size(), config.diff_ids.size());
  }
  return {};
}

Digest chain_id(std::span<const Digest> diff_ids) {
  SLIPWAY_CHECK(!diff_ids.empty());
  Digest chain = diff_ids.front();
  for (const Digest& diff_id : diff_ids.subspan(1)) {
    chain = sha256(chain.text() + " " + diff_id.text());
  }
  return chain;
}

}  // namespace slipway::oci
