#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "base/check.h"
#include "layer/wheel_layer.h"

namespace slipway::layer {
namespace {

Error collision(const WheelInput& first, const WheelInput& second, std::string_view path,
                std::string_view how) {
  return make_error(ErrorKind::InvalidInput, "`{}` and `{}` do not go together", first.name,
                    second.name)
      .reason(fmt::format("{} {} and {} {} both bring `/{}`, {}", first.name, first.version,
                          second.name, second.version, path, how))
      .hint("use only one of the two, or versions that were made for each other");
}

}  // namespace

Result<void> check_collisions(std::span<const WheelInput> wheels,
                              std::span<const std::vector<WheelPath>> paths) {
  SLIPWAY_CHECK(wheels.size() == paths.size());
  struct Found {
    std::size_t wheel;
    const WheelPath* path;
  };
  std::unordered_map<std::string_view, Found> files;
  for (std::size_t i = 0; i < wheels.size(); ++i) {
    for (const WheelPath& path : paths[i]) {
      const auto [old, is_new] = files.emplace(path.path, Found{i, &path});
      if (is_new) continue;
      const WheelPath& first = *old->second.path;
      if (first.crc32 == path.crc32 && first.size_bytes == path.size_bytes) continue;
      return collision(wheels[old->second.wheel], wheels[i], path.path, "with different contents");
    }
  }
  for (std::size_t i = 0; i < wheels.size(); ++i) {
    for (const WheelPath& path : paths[i]) {
      std::string_view folder = path.path;
      for (std::size_t slash = folder.rfind('/'); slash != std::string_view::npos;
           slash = folder.rfind('/')) {
        folder = folder.substr(0, slash);
        const auto file = files.find(folder);
        if (file == files.end()) continue;
        return collision(wheels[file->second.wheel], wheels[i], folder,
                         "once as a file and once as a folder");
      }
    }
  }
  return {};
}

}  // namespace slipway::layer
