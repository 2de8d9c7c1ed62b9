#include "plan/lock_digests.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "layer/layout.h"
#include "plan/image_layers.h"

namespace slipway::plan {
namespace {

ImageLayer layer_of(std::vector<std::string> packages) {
  const std::string text = fmt::format("{}", fmt::join(packages, ","));
  return {sha256("blob " + text), sha256("tar " + text), text.size(), std::move(packages), 0, {}};
}

std::vector<ImageLayer> layers() {
  return {layer_of({"libc6 2.36-9+deb12u10", "tzdata 2025b-0+deb12u1"}),
          layer_of({"frame"}),
          layer_of({"torch 2.6.0"}),
          layer_of({"frame 1.0", "project 2.0"}),  // packages may be called so
          layer_of({"bytecode 0.17.0", "six 1.17.0", "bytecode"}),
          layer_of({"bytecode of torch 2.6.0"}),
          layer_of({"bytecode of frame 1.0", "bytecode of project 2.0"}),
          layer_of({"project"})};
}

spec::LockedImage image_of(const std::vector<ImageLayer>& list) {
  return make_locked_image({}, list);
}

std::string told(const spec::LockedImage& locked, const spec::LockedImage& built,
                 Bytecode bytecode = Bytecode::Yes) {
  std::string text;
  for (const Difference& one : compare_images(locked, built, bytecode)) text += one.text + "\n";
  return text;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("layers as a lock names them") {
  const spec::LockedImage image = image_of(layers());
  std::vector<std::string> labels;
  for (const spec::LockedLayer& layer : image.layers) labels.push_back(layer.label());
  CHECK(labels == std::vector<std::string>{"the base", "the frame", "torch", "frame, project",
                                           "bytecode, six", "bytecode of torch",
                                           "bytecode of frame, project"});
  CHECK(image.layers[3].kind == spec::LayerKind::Wheels);
  CHECK(image.layers[4].kind == spec::LayerKind::Packages);
  CHECK(image.layout == layer::kLayoutVersion);
  CHECK(layer_label(layers().back(), 7) == "the project");
}

TEST_CASE("a base image has several layers, each in its place") {
  std::vector<ImageLayer> list = layers();
  list[0] = layer_of({"base layer 1 of 2"});
  list.insert(list.begin() + 1, layer_of({"base layer 2 of 2"}));
  const spec::LockedImage image = image_of(list);
  CHECK(image.layers[0].kind == spec::LayerKind::Base);
  CHECK(image.layers[1].kind == spec::LayerKind::Base);
  CHECK(image.layers[2].kind == spec::LayerKind::Frame);
  CHECK(told(image, image).empty());
  std::vector<ImageLayer> other = list;
  other[1].diff_id = sha256("another");
  CHECK(has(told(image, image_of(other)), "the base: its diff_id is"));
  other.erase(other.begin());
  CHECK(has(told(image, image_of(other)), "the base"));
}

TEST_CASE("the project's code is not the lock's affair") {
  std::vector<ImageLayer> without = layers();
  without.pop_back();
  CHECK(image_of(without) == image_of(layers()));
  const ImageTexts texts = encode_image({}, without);
  CHECK(image_of(layers()).manifest == texts.manifest_digest);
  CHECK(image_of(layers()).config == texts.config_digest);
}

TEST_CASE("an image against the lock's") {
  const spec::LockedImage locked = image_of(layers());
  CHECK(told(locked, locked).empty());

  spec::LockedImage built = locked;
  built.layers[2].diff_id = sha256("other");
  built.layers[2].digest = sha256("other blob");
  CHECK(has(told(locked, built), "torch: its diff_id is " + sha256("other").text()));
  built = locked;
  built.layers[2].digest = sha256("other blob");
  CHECK(has(told(locked, built), "torch: the same files, packed as"));
  built = locked;
  built.layers[2].size_bytes = 7;
  CHECK(has(told(locked, built), "torch: it has 7 bytes, and the lock says"));
  built = locked;
  built.layers.pop_back();
  CHECK(has(told(locked, built), "bytecode of frame, project: the lock has that layer"));
  CHECK(has(told(built, locked), "bytecode of frame, project: the lock has no such layer"));
  built = locked;
  built.config = sha256("x");
  built.manifest = sha256("y");
  CHECK(has(told(locked, built), "the configuration is"));
  built.config = locked.config;
  CHECK(has(told(locked, built), "the manifest is"));
}

TEST_CASE("an image without bytecode has the lock's other layers") {
  const spec::LockedImage locked = image_of(layers());
  spec::LockedImage built = locked;
  std::erase_if(built.layers,
                [](const auto& layer) { return layer.kind == spec::LayerKind::Bytecode; });
  built.layers[4] = {spec::LayerKind::Wheels, built.layers[4].packages, sha256("bare"),
                     sha256("bare tar"), 7};
  built.manifest = sha256("another");
  built.config = sha256("another");
  CHECK(told(locked, built, Bytecode::No).empty());
  CHECK(has(told(locked, built), "bytecode, six: the lock has no such layer"));
  CHECK(has(told(locked, built), "bytecode of torch: the lock has that layer"));
  spec::LockedImage strange = built;
  strange.layers[4].packages = {"six"};
  CHECK(has(told(locked, strange, Bytecode::No), "six: the lock has no such layer"));
  built.layers[2].diff_id = sha256("other");
  CHECK(has(told(locked, built, Bytecode::No), "torch"));
}

TEST_CASE("where the solution changed, layers that both have are compared") {
  spec::LockedImage locked = image_of(layers());
  const spec::LockedImage built = locked;
  locked.manifest.reset();
  locked.layers.erase(locked.layers.begin() + 3);
  CHECK(told(locked, built).empty());
  locked.layers[2].diff_id = sha256("other");
  CHECK(has(told(locked, built), "torch"));
}

TEST_CASE("a lock of another layout") {
  spec::Lock lock;
  CHECK(check_locked_layout(lock, "slipway.lock").ok());
  lock.image = image_of(layers());
  CHECK(check_locked_layout(lock, "slipway.lock").ok());
  lock.image->layout += 1;
  CHECK(check_locked_layout(lock, "slipway.lock").error().kind == ErrorKind::Unsupported);
}

TEST_CASE("a long list of differences is cut") {
  std::vector<ImageLayer> many = layers();
  many.pop_back();
  for (int i = 0; i < 30; ++i) many.push_back(layer_of({fmt::format("p{} 1.0", i)}));
  const auto checked = check_locked_image(image_of(layers()), image_of(many), Bytecode::Yes, "l");
  REQUIRE_FALSE(checked.ok());
  CHECK(checked.error().kind == ErrorKind::Corrupt);
  CHECK(checked.error().because.size() == 11);
  CHECK(checked.error().because.back() == "20 more layers differ");
}

}  // namespace
}  // namespace slipway::plan
