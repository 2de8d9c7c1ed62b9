#include "plan/layer_recipe.h"

#include <algorithm>
#include <charconv>

#include "plan/wheel_facts.h"

namespace slipway::plan {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t space = std::min(line.find(' '), line.size());
    words.push_back(line.substr(0, space));
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  return words;
}

Result<Artifact> parse_wheel(std::span<const std::string_view> words) {
  Artifact artifact;
  if (words.size() != 7) return make_error(ErrorKind::Corrupt, "a recipe's wheel has 7 words");
  artifact.package = words[1];
  artifact.label = fmt::format("{} {}", words[1], words[2]);
  artifact.index = words[3];
  artifact.file_name = words[4];
  artifact.sha256 = TRY(parse_digest(words[5]));
  const auto [end, error] =
      std::from_chars(words[6].data(), words[6].data() + words[6].size(), artifact.size_bytes);
  if (error != std::errc() || end != words[6].data() + words[6].size()) {
    return make_error(ErrorKind::Corrupt, "a recipe's wheel has no size");
  }
  return artifact;
}

Error unreadable() {
  return make_error(ErrorKind::Corrupt, "a layer's recipe in the store cannot be read");
}

Result<BlobOrigin> parse_origin(std::span<const std::string_view> words) {
  if (words.size() == 2) return BlobOrigin{std::string(words[1]), registry::Trust::Checked};
  if (words.size() != 3 || words[2] != "insecure") return unreadable();
  return BlobOrigin{std::string(words[1]), registry::Trust::Insecure};
}

}  // namespace

BlobOrigin origin_of(const ImagePlace& place) {
  return {place.name.registry + "/" + place.name.name, place.host.trust};
}

std::string write_recipe(const BlobOrigin& origin) {
  return fmt::format("from {}{}\n", origin.repository,
                     origin.trust == registry::Trust::Insecure ? " insecure" : "");
}

std::string write_recipe(std::span<const layer::WheelInput> wheels, const spec::Lock& lock) {
  const layer::WheelLayerOptions options = wheel_options(lock);
  std::string text = fmt::format("wheels {} {} {} {}\n", layer::kLayoutVersion, options.prefix,
                                 options.python_major, options.python_minor);
  for (const layer::WheelInput& input : wheels) {
    const auto wheel = std::ranges::find(lock.wheels, input.name, &spec::LockedWheel::name);
    SLIPWAY_CHECK(wheel != lock.wheels.end());
    text += fmt::format("wheel {} {} {} {} {} {}\n", wheel->name, wheel->version, wheel->index,
                        wheel->file_name, wheel->sha256.hex(), wheel->size_bytes);
  }
  return text;
}

Result<LayerRecipe> parse_recipe(std::string_view text) {
  LayerRecipe recipe;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const auto words = words_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (first && text.empty() && !words.empty() && words[0] == "from") {
      recipe.origin = TRY(parse_origin(words));
      return recipe;
    }
    if (first && words.size() == 5 && words[0] == "wheels") {
      std::from_chars(words[1].data(), words[1].data() + words[1].size(), recipe.layout);
      recipe.options.prefix = words[2];
      const auto read = [](std::string_view word, int& number) {
        std::from_chars(word.data(), word.data() + word.size(), number);
      };
      read(words[3], recipe.options.python_major);
      read(words[4], recipe.options.python_minor);
      first = false;
    } else if (!first && !words.empty() && words[0] == "wheel") {
      recipe.wheels.push_back(TRY(parse_wheel(words)));
    } else {
      return unreadable();
    }
  }
  if (recipe.layout != layer::kLayoutVersion) {
    return make_error(ErrorKind::Unsupported, "a layer has layout {}, and this slipway makes {}",
                      recipe.layout, layer::kLayoutVersion)
        .hint("`slipway build` makes the image anew");
  }
  return recipe;
}

std::vector<layer::WheelInput> recipe_inputs(const LayerRecipe& recipe, const Tools& tools) {
  std::vector<layer::WheelInput> inputs;
  for (const Artifact& wheel : recipe.wheels) {
    inputs.push_back({wheel.package, wheel.label.substr(wheel.package.size() + 1),
                      cached_path(wheel, tools), wheel.sha256, wheel.size_bytes});
  }
  return inputs;
}

}  // namespace slipway::plan
