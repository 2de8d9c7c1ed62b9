#include "plan/package_origins.h"

#include "base/file.h"
#include "plan/image_lock.h"
#include "plan/layer_recipe.h"
#include "version/version.h"

namespace slipway::plan {
namespace {

std::string normal_version(const std::string& text) {
  const auto parsed = version::Version::parse(text);
  return parsed.ok() ? parsed->text() : text;
}

void add_recipes(const StoredImage& image, const store::Store& store, PackageOrigins& origins) {
  for (const oci::Descriptor& layer : image.manifest.layers) {
    const auto text = store.find_recipe(layer.digest);
    if (!text.ok() || !*text) continue;
    const auto recipe = parse_recipe(**text);
    if (!recipe.ok()) continue;
    for (const Artifact& wheel : recipe->wheels) {
      const std::string version = wheel.label.substr(wheel.package.size() + 1);
      origins[python_origin_key(wheel.package, version)] = {wheel.file_name, wheel.sha256, {}};
    }
  }
}

void add_lock(const spec::Lock& lock, PackageOrigins& origins) {
  for (const spec::LockedWheel& wheel : lock.wheels) {
    origins[python_origin_key(wheel.name, wheel.version)] = {wheel.file_name, wheel.sha256,
                                                             wheel.dependencies};
  }
  for (const spec::LockedDeb& deb : lock.debs) {
    origins[debian_origin_key(deb.name, deb.version, deb.architecture)] = {
        base_name(deb.path), deb.sha256, {}};
  }
  for (const spec::CapturedFiles& files : lock.captured) {
    if (!files.wheel.empty())
      origins[python_origin_key(files.name, files.version)] = {files.wheel, files.wheel_sha256, {}};
  }
}

}  // namespace

std::string python_origin_key(const std::string& name, const std::string& version) {
  return fmt::format("python {} {}", name, normal_version(version));
}

std::string debian_origin_key(const std::string& name, const std::string& version,
                              const std::string& architecture) {
  return fmt::format("debian {} {} {}", name, version, architecture);
}

PackageOrigins find_package_origins(const StoredImage& image, const ImageFiles& files,
                                    const store::Store& store, const std::string& project_lock) {
  PackageOrigins origins;
  add_recipes(image, store, origins);
  if (const auto lock = find_image_lock(image.config, files, store, project_lock))
    add_lock(*lock, origins);
  return origins;
}

}  // namespace slipway::plan
