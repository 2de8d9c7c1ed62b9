// The part of slipway.lock that a build writes: `[image]` and its layers.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "spec/lock_fields.h"

namespace slipway::spec {
namespace {

constexpr std::string_view kRebuild =
    "take [image] and every [[layer]] out: `slipway build` writes them anew";

constexpr std::array<std::string_view, 6> kLayerWords{"base",   "apt",      "frame",
                                                      "wheels", "packages", "bytecode"};

bool has_wheels(LayerKind kind) { return kind == LayerKind::Wheels || kind == LayerKind::Packages; }
bool has_packages(LayerKind kind) { return has_wheels(kind) || kind == LayerKind::Bytecode; }

LayerKind read_kind(TableReader& table) {
  const auto text = table.text("holds", Presence::Required);
  if (!text) return LayerKind::Base;
  const auto word = std::find(kLayerWords.begin(), kLayerWords.end(), text->value);
  if (word != kLayerWords.end()) return static_cast<LayerKind>(word - kLayerWords.begin());
  table.problem(text->at, fmt::format("`{}`: no layer holds `{}`", text->key, text->value),
                std::string(kRebuild));
  return LayerKind::Base;
}

LockedLayer read_layer(TableReader& table) {
  LockedLayer layer;
  layer.kind = read_kind(table);
  layer.packages = sorted_list(table, "packages");
  layer.digest = required_digest(table, "digest");
  layer.diff_id = required_digest(table, "diff-id");
  layer.size_bytes = required_size(table);
  if (has_packages(layer.kind) == layer.packages.empty()) {
    table.problem(table.at(),
                  fmt::format("a layer that holds {} has {}", layer_kind_text(layer.kind),
                              has_packages(layer.kind) ? "packages" : "no packages"),
                  std::string(kRebuild));
  }
  table.refuse_the_rest();
  return layer;
}

/// Bottom first, each kind behind the one before; each package once, its bytecode once, and in the
/// lock.
void check_layers(std::vector<TableReader>& tables, const std::vector<LockedLayer>& layers,
                  const Lock& lock) {
  std::set<std::string_view> names;
  for (const LockedWheel& wheel : lock.wheels) names.insert(wheel.name);
  std::map<LayerKind, std::set<std::string_view>> seen;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto refuse = [&](std::string message) {
      tables[i].problem(tables[i].at(), std::move(message), std::string(kRebuild));
    };
    const LockedLayer& layer = layers[i];
    if (i > 0 && layer.kind < layers[i - 1].kind) {
      refuse(fmt::format("the layer of {} is out of order", layer.label()));
    }
    // A base of a registry has as many layers as it has.
    const bool may_repeat = layer.kind == LayerKind::Base && lock.base.has_value();
    if (!has_packages(layer.kind) && !seen[layer.kind].insert("").second && !may_repeat) {
      refuse(fmt::format("the layer of {} is there twice", layer.label()));
    }
    for (const std::string& package : layer.packages) {
      if (!names.contains(package)) {
        refuse(fmt::format("a layer holds `{}`, which is not in the lock", package));
      } else if (!seen[has_wheels(layer.kind) ? LayerKind::Wheels : layer.kind]
                      .insert(package)
                      .second) {
        refuse(fmt::format("`{}` is in two layers", package));
      }
    }
  }
}

/// An image whose manifest is known has all of its layers here.
void check_complete(TableReader& image, const std::vector<LockedLayer>& layers, const Lock& lock) {
  std::set<std::string_view> installed;
  bool has_base = false;
  bool has_frame = false;
  bool has_apt = false;
  for (const LockedLayer& layer : layers) {
    has_base = has_base || layer.kind == LayerKind::Base;
    has_apt = has_apt || layer.kind == LayerKind::Apt;
    has_frame = has_frame || layer.kind == LayerKind::Frame;
    if (has_wheels(layer.kind)) {
      installed.insert(layer.packages.begin(), layer.packages.end());
    }
  }
  const auto miss = [&](std::string_view what) {
    image.problem(image.at(), fmt::format("the image has no layer of {}", what),
                  std::string(kRebuild));
  };
  if (!has_base) miss("the base");
  if (lock.base && !lock.debs.empty() && !has_apt) miss("the Debian packages");
  if (!has_frame) miss("the frame");
  for (const LockedWheel& wheel : lock.wheels) {
    if (!installed.contains(wheel.name)) miss(wheel.name);
  }
}

}  // namespace

std::string_view layer_kind_text(LayerKind kind) {
  return kLayerWords.at(static_cast<std::size_t>(kind));
}

std::string LockedLayer::label() const {
  if (kind == LayerKind::Apt) return "the Debian packages";
  if (!has_packages(kind)) return fmt::format("the {}", layer_kind_text(kind));
  return fmt::format("{}{}", kind == LayerKind::Bytecode ? "bytecode of " : "",
                     fmt::join(packages, ", "));
}

std::optional<LockedImage> read_locked_image(TableReader& root, const Lock& lock) {
  auto table = root.table("image");
  std::vector<TableReader> tables = root.tables("layer");
  if (!table) {
    if (!tables.empty()) {
      root.problem(tables.front().at(), "there are layers, and no [image]", std::string(kRebuild));
    }
    return std::nullopt;
  }
  LockedImage image;
  const auto layout = table->integer("layout", Presence::Required);
  if (layout && (layout->value < 1 || layout->value > 1'000'000)) {
    table->problem(layout->at, fmt::format("`{}` is no layout", layout->key));
  } else if (layout) {
    image.layout = static_cast<int>(layout->value);
  }
  if (table->text("manifest")) {
    image.manifest = required_digest(*table, "manifest");
    image.config = required_digest(*table, "config");
  }
  table->refuse_the_rest();
  for (TableReader& layer : tables) image.layers.push_back(read_layer(layer));
  check_layers(tables, image.layers, lock);
  if (image.manifest) check_complete(*table, image.layers, lock);
  if (!lock.captured.empty()) {
    table->problem(table->at(), "captured files are not built, and have no [image] here");
  }
  return image;
}

}  // namespace slipway::spec
