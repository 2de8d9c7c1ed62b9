#include "cli/image_json.h"

#include <nlohmann/json.hpp>

namespace slipway::cli {
namespace {

using Json = nlohmann::ordered_json;

Json layers_json(std::span<const plan::ImageLayer> layers) {
  Json list = Json::array();
  for (const plan::ImageLayer& layer : layers) {
    list.push_back({{"digest", layer.digest.text()},
                    {"diff_id", layer.diff_id.text()},
                    {"size", layer.size_bytes},
                    {"packages", layer.packages}});
  }
  return list;
}

}  // namespace

std::string json_text(const plan::BuiltImage& image) {
  const Json answer{{"schema", 1},
                    {"reference", image.reference},
                    {"digest", image.digest.text()},
                    {"complete", image.was_complete},
                    {"layers", layers_json(image.layers)}};
  return answer.dump(2) + "\n";
}

std::string json_text(const plan::StoredImage& image) {
  Json config{{"user", image.config.user},
              {"environment", image.config.env},
              {"entrypoint", image.config.entrypoint},
              {"command", image.config.cmd},
              {"working_folder", image.config.working_folder},
              {"labels", image.config.labels}};
  const Json answer{{"schema", 1},
                    {"reference", image.reference},
                    {"digest", image.digest.text()},
                    {"config_digest", image.manifest.config.digest.text()},
                    {"architecture", image.config.platform.architecture},
                    {"os", image.config.platform.os},
                    {"size", image.size_bytes()},
                    {"config", std::move(config)},
                    {"layers", layers_json(image.layers())}};
  return answer.dump(2) + "\n";
}

std::string json_text(std::span<const plan::StoredImage> images) {
  Json list = Json::array();
  for (const plan::StoredImage& image : images) {
    list.push_back({{"reference", image.reference},
                    {"digest", image.digest.text()},
                    {"layers", image.manifest.layers.size()},
                    {"size", image.size_bytes()}});
  }
  const Json answer{{"schema", 1}, {"images", std::move(list)}};
  return answer.dump(2) + "\n";
}

}  // namespace slipway::cli
