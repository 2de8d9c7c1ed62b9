// save_sample NAME oci|oci-tar|docker PATH|- LAYER.tar LAYER.tar.gz [LAYER.tar LAYER.tar.gz …]
//
// Makes an image of these layers and saves it with the image writer: for tests/system. Prints the
// digests of manifest and config and the diff_ids, a line each (not where the archive goes to -).
#include <unistd.h>

#include <cstdio>
#include <map>

#include "base/file.h"
#include "layer/image_writer.h"
#include "oci/image_config.h"

using namespace slipway;

namespace {

struct Sample {
  layer::ImageBytes bytes;
  oci::ImageConfig config;
  std::map<Digest, std::string> blob_paths;
};

Result<Sample> make_sample(std::span<char*> arguments) {
  Sample sample;
  sample.bytes.name = TRY(store::parse_image_name(arguments[0]));
  sample.config.created = "1980-01-01T00:00:00Z";
  sample.config.platform = {oci::go_architecture("x86_64"), "linux", "", "", {}};
  sample.config.user = "1000";
  sample.config.env = {"PATH=/usr/bin:/bin", "SAMPLE=a \"quoted\" \\ value, é"};
  sample.config.cmd = {"/bin/true"};
  sample.config.working_folder = "/work";
  sample.config.labels = {{"org.opencontainers.image.title", "sample"}};
  sample.config.exposed_ports = {"8888/tcp"};
  oci::Manifest manifest;
  for (std::size_t i = 3; i + 1 < arguments.size(); i += 2) {
    oci::Descriptor layer;
    layer.media_type = oci::kMediaTypeLayerGzip;
    layer.digest = TRY(sha256_of_file(arguments[i + 1]));
    layer.size_bytes = TRY(file_size(arguments[i + 1]));
    sample.blob_paths[layer.digest] = arguments[i + 1];
    manifest.layers.push_back(std::move(layer));
    sample.config.diff_ids.push_back(TRY(sha256_of_file(arguments[i])));
    sample.config.history.push_back({"1980-01-01T00:00:00Z", "slipway", "", "", false});
  }
  sample.bytes.config = oci::encode_image_config(sample.config);
  manifest.config = oci::describe(oci::kMediaTypeConfig, sample.bytes.config);
  sample.bytes.manifest = oci::encode_manifest(manifest);
  return sample;
}

Result<void> save(const Sample& sample, const std::string& format, const std::string& path) {
  const auto write_layer = [&](const oci::Descriptor& layer, Sink& out) -> Result<void> {
    const UniqueFd fd = TRY(open_file(sample.blob_paths.at(layer.digest), 0));
    FdSource source(fd.get());
    TRY(copy(source, out));
    return {};
  };
  const auto kind = format == "oci"       ? layer::ImageFormat::OciFolder
                    : format == "oci-tar" ? layer::ImageFormat::OciArchive
                                          : layer::ImageFormat::DockerArchive;
  if (path != "-") return layer::save_image(sample.bytes, kind, path, write_layer, CancelToken());
  FdSink out(STDOUT_FILENO);
  return layer::write_image(sample.bytes, kind, out, write_layer, CancelToken());
}

Result<void> run(std::span<char*> arguments) {
  const Sample sample = TRY(make_sample(arguments));
  const std::string path = arguments[2];
  TRY(save(sample, arguments[1], path));
  if (path == "-") return {};
  std::printf("manifest %s\n", sha256(sample.bytes.manifest).text().c_str());
  std::printf("config %s\n", sha256(sample.bytes.config).text().c_str());
  for (const Digest& diff_id : sample.config.diff_ids) {
    std::printf("diff_id %s\n", diff_id.text().c_str());
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6 || argc % 2 != 0) return 2;
  const Result<void> result = run(std::span(argv + 1, static_cast<std::size_t>(argc) - 1));
  if (result.ok()) return 0;
  std::fprintf(stderr, "error: %s\n", result.error().message.c_str());
  return 1;
}
