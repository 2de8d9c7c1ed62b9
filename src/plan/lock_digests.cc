#include "plan/lock_digests.h"

#include <sys/fsuid.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "layer/layout.h"
#include "plan/base_image.h"
#include "plan/image_layers.h"
#include "plan/wheel_groups.h"

namespace slipway::plan {
namespace {

using spec::LayerKind;
using spec::LockedImage;
using spec::LockedLayer;

constexpr std::size_t kMostReasons = 10;

/// "torch" of "torch 2.6.0" and of "bytecode of torch 2.6.0".
std::string name_in(std::string_view label) {
  if (label.starts_with(kBytecodeOf)) label.remove_prefix(kBytecodeOf.size());
  return std::string(label.substr(0, label.find(' ')));
}

bool is_code(const ImageLayer& layer) {
  return layer.packages == std::vector<std::string>{"project"};
}

LayerKind kind_of(const ImageLayer& layer, std::size_t position) {
  if (position == 0 || is_base_layer(layer)) return LayerKind::Base;
  if (!layer.packages.empty() && layer.packages.front() == kAptLabel) return LayerKind::Apt;
  if (layer.packages == std::vector<std::string>{"frame"}) return LayerKind::Frame;
  if (is_bytecode(layer)) return LayerKind::Bytecode;
  return is_compiled(layer) ? LayerKind::Packages : LayerKind::Wheels;
}

LockedLayer make_locked_layer(const ImageLayer& layer, std::size_t position) {
  LockedLayer locked{kind_of(layer, position), {}, layer.digest, layer.diff_id, layer.size_bytes};
  if (locked.kind < LayerKind::Wheels) return locked;
  for (const std::string& label : layer.packages) {
    if (label != kBytecodeLabel) locked.packages.push_back(name_in(label));
  }
  std::ranges::sort(locked.packages);
  return locked;
}

std::string difference_of(const LockedLayer& built, const LockedLayer& locked) {
  if (built.diff_id != locked.diff_id) {
    return fmt::format("{}: its diff_id is {}, and the lock says {}", built.label(),
                       built.diff_id.text(), locked.diff_id.text());
  }
  if (built.digest != locked.digest) {
    return fmt::format("{}: the same files, packed as {}, and the lock says {}", built.label(),
                       built.digest.text(), locked.digest.text());
  }
  return fmt::format("{}: it has {} bytes, and the lock says {}", built.label(), built.size_bytes,
                     locked.size_bytes);
}

/// What is likely behind it, and what to do.
std::string hint_of(const std::vector<Difference>& differences) {
  const auto is = [](std::string_view what) {
    return [what](const Difference& one) { return one.what == what; };
  };
  const auto is_users = [&](const Difference& one) {
    return is("the frame")(one) || is("the configuration")(one);
  };
  if (!std::ranges::all_of(differences, is_users)) {
    return "`slipway build` without `--locked` builds all the same and writes its digests down";
  }
  return "slipway.toml changed since the lock was written: `slipway build` writes it down";
}

/// In a user namespace we are another than the caller, whose project this is.
class AsOwner {
 public:
  explicit AsOwner(store::Owner owner) : changes_(owner.uid != ::geteuid()) {
    if (!changes_) return;
    ::setfsgid(owner.gid);
    ::setfsuid(owner.uid);
  }
  AsOwner(const AsOwner&) = delete;
  AsOwner& operator=(const AsOwner&) = delete;
  ~AsOwner() {
    if (!changes_) return;
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
  }

 private:
  bool changes_;
};

/// "torch, numpy and 3 more".
std::string named(const std::vector<Difference>& differences) {
  constexpr std::size_t kMost = 4;
  std::vector<std::string> names;
  for (const Difference& one : differences) {
    if (names.size() < kMost) names.push_back(one.what);
  }
  const std::size_t more = differences.size() - names.size();
  return fmt::format("{}{}", fmt::join(names, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string told(const std::string& file, const std::optional<LockedImage>& old,
                 const LockedImage& now) {
  if (!old || !old->manifest) return fmt::format("wrote the image's digests into `{}`", file);
  if (old->layout != now.layout) {
    return fmt::format("`{}` had digests of layout {}: wrote those of layout {}", file, old->layout,
                       now.layout);
  }
  const auto differences = compare_images(*old, now, Bytecode::Yes);
  if (differences.empty()) return fmt::format("put the layers in `{}` in their order", file);
  return fmt::format("`{}` had other digests: wrote those of {}", file, named(differences));
}

std::map<std::string, Digest> wheel_digests(const spec::Lock& lock) {
  std::map<std::string, Digest> digests;
  for (const spec::LockedWheel& wheel : lock.wheels) digests[wheel.name] = wheel.sha256;
  return digests;
}

bool has_same_base(const spec::Lock& old, const spec::Lock& now) {
  if (old.base != now.base || old.python_version != now.python_version) return false;
  return std::ranges::equal(old.debs, now.debs, [](const auto& a, const auto& b) {
    return a.name == b.name && a.sha256 == b.sha256;
  });
}

/// Its layers are as they are, whatever packages come onto them.
bool has_same_image(const spec::Lock& old, const spec::Lock& now) {
  return old.base && now.base && old.base->digest == now.base->digest;
}

/// The layer of `others` that holds what `layers[i]` holds; of a base of several layers, the one in
/// the same place. Null where there is none.
const LockedLayer* find_twin(const std::vector<LockedLayer>& layers, std::size_t i,
                             const std::vector<LockedLayer>& others) {
  const LockedLayer& layer = layers[i];
  const auto is_alike = [&](const LockedLayer& one) {
    return one.kind == layer.kind && one.packages == layer.packages;
  };
  const auto end = layers.begin() + static_cast<std::ptrdiff_t>(i);
  auto before = std::count_if(layers.begin(), end, is_alike);
  for (const LockedLayer& other : others) {
    if (is_alike(other) && before-- == 0) return &other;
  }
  return nullptr;
}

}  // namespace

LockedImage make_locked_image(const oci::ImageConfig& config,
                              const std::vector<ImageLayer>& layers) {
  std::vector<ImageLayer> environment = layers;
  if (!layers.empty() && is_code(layers.back())) environment.pop_back();
  const ImageTexts texts = encode_image(config, environment);
  LockedImage image{layer::kLayoutVersion, texts.manifest_digest, texts.config_digest};
  for (std::size_t i = 0; i < environment.size(); ++i) {
    image.layers.push_back(make_locked_layer(environment[i], i));
  }
  return image;
}

std::string layer_label(const ImageLayer& layer, std::size_t position) {
  return is_code(layer) ? "the project" : make_locked_layer(layer, position).label();
}

std::vector<Difference> compare_images(const LockedImage& locked, const LockedImage& built,
                                       Bytecode bytecode) {
  std::vector<Difference> differences;
  // The lock is of an image with bytecode: one without shares with it the layers that hold none,
  // and has others of the same wheels in place of the rest.
  const auto is_compared = [&](const LockedLayer& layer) {
    return bytecode == Bytecode::Yes || layer.kind < LayerKind::Packages;
  };
  const auto is_variant = [&](const LockedLayer& layer) {
    return std::ranges::any_of(locked.layers, [&](const LockedLayer& one) {
      return !is_compared(one) && one.packages == layer.packages;
    });
  };
  for (std::size_t i = 0; i < built.layers.size(); ++i) {
    const LockedLayer& layer = built.layers[i];
    const LockedLayer* other = find_twin(built.layers, i, locked.layers);
    if (other != nullptr && *other != layer) {
      differences.push_back({layer.label(), difference_of(layer, *other)});
    } else if (other == nullptr && locked.manifest && !is_variant(layer)) {
      differences.push_back(
          {layer.label(), fmt::format("{}: the lock has no such layer", layer.label())});
    }
  }
  if (!locked.manifest) return differences;
  for (std::size_t i = 0; i < locked.layers.size(); ++i) {
    const LockedLayer& layer = locked.layers[i];
    if (!is_compared(layer)) continue;
    if (find_twin(locked.layers, i, built.layers) == nullptr) {
      differences.push_back(
          {layer.label(),
           fmt::format("{}: the lock has that layer, and the image has not", layer.label())});
    }
  }
  if (bytecode == Bytecode::No || !built.manifest) return differences;
  if (built.config != locked.config && differences.empty()) {
    differences.push_back(
        {"the configuration", fmt::format("the configuration is {}, and the lock says {}",
                                          built.config.text(), locked.config.text())});
  }
  if (built.manifest != locked.manifest && differences.empty()) {
    differences.push_back(
        {"the manifest", fmt::format("the manifest is {}, and the lock says {}",
                                     built.manifest->text(), locked.manifest->text())});
  }
  return differences;
}

Result<void> check_locked_image(const LockedImage& locked, const LockedImage& built,
                                Bytecode bytecode, const std::string& lock_file) {
  const std::vector<Difference> differences = compare_images(locked, built, bytecode);
  if (differences.empty()) return {};
  Error error = make_error(ErrorKind::Corrupt, "the image is not the one of `{}`", lock_file);
  for (const Difference& one : differences) {
    if (error.because.size() < kMostReasons) error.because.push_back(one.text);
  }
  if (differences.size() > kMostReasons) {
    error.because.push_back(
        fmt::format("{} more layers differ", differences.size() - kMostReasons));
  }
  error.hints.push_back(hint_of(differences));
  return error;
}

Result<void> check_locked_layout(const spec::Lock& lock, const std::string& lock_file) {
  if (!lock.image || lock.image->layout == layer::kLayoutVersion) return {};
  return make_error(ErrorKind::Unsupported,
                    "`{}` has layers of layout {}, and this slipway makes layout {}", lock_file,
                    lock.image->layout, layer::kLayoutVersion)
      .reason("another layout gives other bytes for the same packages")
      .hint(
          "use the slipway that built it; `slipway build` without `--locked` writes the new ones");
}

Result<std::string> record_build(const ProjectFolder& project, const spec::Lock& lock,
                                 const BuiltImage& image, const Tools& tools) {
  const AsOwner owner(tools.owner);
  const std::string file = project.lock_file();
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  LockedImage now =
      make_locked_image(TRY(configure_image(store, project.spec, lock)), image.layers);
  // What stands there now: a build takes its time.
  std::optional<spec::Lock> present = TRY(find_lock(project));
  if (!present || spec::write_solution(*present) != spec::write_solution(lock)) {
    return fmt::format("`{}` changed during the build: the image's digests are not in it", file);
  }
  if (present->image == now) return std::string();
  std::string line = told(file, present->image, now);
  present->image = std::move(now);
  TRY(write_file(file, spec::write_lock(std::move(*present))));
  return line;
}

std::optional<LockedImage> kept_image(const spec::Lock& old, const spec::Lock& now,
                                      const Tools& tools) {
  if (!old.image || spec::write_solution(old) == spec::write_solution(now)) return old.image;
  if (old.image->layout != layer::kLayoutVersion) return std::nullopt;
  const auto before = wheel_digests(old);
  const auto after = wheel_digests(now);
  const auto is_same = [&](const std::string& name) {
    return before.contains(name) && after.contains(name) && before.at(name) == after.at(name) &&
           old.python_version == now.python_version;
  };
  std::set<std::vector<std::string>> groups;
  for (const WheelGroup& group : group_wheels(now, Bytecode::Yes, tools)) {
    std::vector<std::string> names;
    for (const layer::WheelInput& wheel : group.wheels) names.push_back(wheel.name);
    std::ranges::sort(names);
    groups.insert(std::move(names));
  }
  LockedImage kept{old.image->layout, {}, {}};
  for (const LockedLayer& layer : old.image->layers) {
    const bool stays = (layer.kind == LayerKind::Base && has_same_image(old, now)) ||
                       ((layer.kind == LayerKind::Base || layer.kind == LayerKind::Apt) &&
                        has_same_base(old, now)) ||
                       (layer.kind == LayerKind::Wheels && groups.contains(layer.packages) &&
                        std::ranges::all_of(layer.packages, is_same)) ||
                       // The interpreter is in the base.
                       (layer.kind == LayerKind::Packages && groups.contains(layer.packages) &&
                        has_same_base(old, now) && std::ranges::all_of(layer.packages, is_same)) ||
                       // How bytecode is grouped shows in the build.
                       (layer.kind == LayerKind::Bytecode && has_same_base(old, now) &&
                        std::ranges::all_of(layer.packages, is_same));
    if (stays) kept.layers.push_back(layer);
  }
  return kept;
}

}  // namespace slipway::plan
