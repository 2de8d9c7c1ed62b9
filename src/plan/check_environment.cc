#include "plan/check_environment.h"

#include <algorithm>

#include "base/file.h"
#include "base/threads.h"
#include "gpu/compatibility.h"
#include "gpu/gpu_names.h"
#include "gpu/host.h"
#include "gpu/loader_cache.h"
#include "plan/base_image.h"
#include "plan/image_layers.h"
#include "plan/known_layers.h"
#include "plan/layer_facts.h"
#include "plan/target_facts.h"
#include "spec/project.h"

namespace slipway::plan {
namespace {

constexpr const char* kVenvPrefix = "/venv";
constexpr const char* kSitePackages = "/venv/lib/python3/site-packages";

/// As if the folder stood at `prefix`.
void move_below(const std::string& prefix, gpu::LayerLibraries& layer) {
  for (gpu::LibraryFile& file : layer.elves) file.path = prefix + file.path;
  for (gpu::LibraryLink& link : layer.links) link.path = prefix + link.path;
  for (gpu::PythonPackage& package : layer.packages) package.folder = prefix + package.folder;
  layer.loader_configurations.clear();
  layer.removed.clear();
}

bool has_dist_info(const std::string& folder) {
  const auto names = list_folder(folder);
  return names.ok() && std::any_of(names->begin(), names->end(), [](const std::string& name) {
           return name.ends_with(".dist-info");
         });
}

bool is_virtual_environment(const std::string& folder) {
  return path_exists(folder + "/pyvenv.cfg") || is_folder(folder + "/lib");
}

Result<gpu::LayerLibraries> scan(const std::string& folder, const std::string& prefix,
                                 const Tools& tools) {
  gpu::LayerLibraries layer = TRY(gpu::scan_layer(folder, tools.cancel));
  move_below(prefix, layer);
  return layer;
}

/// None where there is no cache, as with musl, or one that cannot be read: then nobody knows.
std::vector<std::string> read_host_libraries() {
  std::vector<std::string> names;
  const auto bytes = read_file("/etc/ld.so.cache");
  if (!bytes.ok()) return names;
  const auto cache = gpu::parse_loader_cache(*bytes);
  if (!cache.ok()) return names;
  for (const gpu::LoaderCacheEntry& entry : cache->entries) {
    if (entry.flags == gpu::library_flags()) names.push_back(entry.name);
  }
  std::ranges::sort(names);
  return names;
}

/// Below the wheels of a lock, where its base image is here and unpacked, and so are the packages
/// on it; else the system stays outside.
Result<void> add_base_layers(const store::Store& store, const spec::Lock& lock,
                             CheckedEnvironment& environment, const Tools& tools) {
  const auto base = TRY(find_base_image(store, lock));
  if (!base) return {};
  std::vector<gpu::LayerLibraries> layers;
  for (const Digest& diff_id : base->image.config.diff_ids) {
    if (!store.has_layer(diff_id)) return {};
    layers.push_back(TRY(read_layer_facts(store, diff_id, tools)));
  }
  const std::size_t foreign_layers = layers.size();
  if (!lock.debs.empty()) {
    const Digest key = TRY(apt_key(store, lock, tools));
    const auto packages = TRY(find_layer(store, key));
    if (!packages || !store.has_layer(packages->diff_id)) return {};
    layers.push_back(TRY(read_layer_facts(store, packages->diff_id, tools)));
  }
  environment.foreign_layers = foreign_layers;
  environment.layers.insert(environment.layers.begin(), std::make_move_iterator(layers.begin()),
                            std::make_move_iterator(layers.end()));
  environment.system = gpu::System::Inside;
  environment.glibc.clear();
  return {};
}

}  // namespace

Result<CheckedEnvironment> read_image_environment(const StoredImage& image, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const std::vector<ImageLayer> layers = image.layers();
  CheckedEnvironment environment{image.reference, {}, gpu::System::Inside, ""};
  environment.slim = find_slim_label(image.config.labels);
  environment.layers.resize(layers.size());
  environment.foreign_layers =
      static_cast<std::size_t>(std::ranges::count_if(layers, is_base_layer));
  const auto read = [&](std::size_t i) -> Result<void> {
    environment.layers[i] = TRY(read_layer_facts(store, layers[i].diff_id, tools));
    return {};
  };
  TRY(for_each_parallel(layers.size(), usable_cores(), tools.cancel, read));
  return environment;
}

Result<CheckedEnvironment> read_lock_environment(const std::string& name, const spec::Lock& lock,
                                                 const std::vector<spec::PythonIndex>& indexes,
                                                 const Tools& tools) {
  if (!lock.captured.empty()) {
    return make_error(ErrorKind::Unsupported, "`{}` is the lock of a captured environment", name)
        .reason("it names files of a host, and no index has them")
        .hint("check the image: `slipway check NAME:TAG`");
  }
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  CheckedEnvironment environment{name, TRY(read_lock_facts(store, lock, indexes, tools)),
                                 gpu::System::Outside, lock.glibc};
  if (lock.base) {
    TRY(add_base_layers(store, lock, environment, tools));
    return environment;
  }
  environment.debian_packages.emplace();
  for (const spec::LockedDeb& deb : lock.debs) environment.debian_packages->push_back(deb.name);
  std::ranges::sort(*environment.debian_packages);
  return environment;
}

Result<CheckedEnvironment> read_folder_environment(const std::string& path, const Tools& tools) {
  const std::string folder = TRY(absolute_path(path));
  if (!is_folder(folder)) return make_error(ErrorKind::NotFound, "`{}` is not a folder", folder);
  CheckedEnvironment environment{folder, {}, gpu::System::Outside, ""};
  environment.host_libraries = read_host_libraries();
  if (has_dist_info(folder)) {
    environment.layers.push_back(TRY(scan(folder, kSitePackages, tools)));
    return environment;
  }
  for (const std::string& name : TRY(list_folder(folder))) {
    const std::string child = join_path(folder, name);
    if (has_dist_info(child)) environment.layers.push_back(TRY(scan(child, kSitePackages, tools)));
  }
  if (!environment.layers.empty()) return environment;
  if (is_virtual_environment(folder)) {
    environment.layers.push_back(TRY(scan(folder, kVenvPrefix, tools)));
    if (!environment.layers.front().packages.empty()) return environment;
  }
  return make_error(ErrorKind::NotFound, "there is no Python package in `{}`", folder)
      .hint("name a virtual environment, its site-packages, or a folder of unpacked wheels");
}

Result<gpu::HostQuestion> make_question(const spec::FleetHost& host) {
  gpu::HostQuestion question;
  question.name = host.name;
  question.glibc = host.glibc;
  std::optional<gpu::HostGpus> here;
  const bool asks_here =
      host.driver == spec::kThisHost ||
      std::find(host.gpus.begin(), host.gpus.end(), spec::kThisHost) != host.gpus.end();
  if (asks_here) {
    here = TRY(gpu::read_host_gpus());
    if (!here->driver_found || here->gpus.empty())
      return make_error(ErrorKind::NotFound, "`this host` has no GPU to be asked about")
          .reason(here->missing);
  }
  const gpu::CompatibilityTables& tables = gpu::compatibility_tables();
  for (const std::string& name : host.gpus) {
    if (name != spec::kThisHost) {
      question.gpus.push_back(TRY(gpu::parse_gpu(tables, name)));
      continue;
    }
    for (const gpu::Gpu& one : here->gpus) {
      const gpu::GpuModel* model = gpu::find_gpu(tables, one.name);
      const std::string sm = fmt::format("sm_{}{}", one.compute_major, one.compute_minor);
      if (model == nullptr) model = gpu::find_gpu(tables, sm);
      if (model == nullptr)
        return make_error(ErrorKind::Unsupported, "no table knows the GPU `{}` ({})", one.name, sm);
      question.gpus.push_back(*model);
    }
  }
  if (!host.cuda_compat.empty())
    question.cuda_compat = TRY(find_cuda_compat(tables, host.cuda_compat))->cuda;
  if (!host.driver.empty()) {
    question.driver = TRY(
        gpu::lowest_driver(host.driver == spec::kThisHost ? here->driver_version : host.driver));
  }
  return question;
}

HostVerdict check_environment(const CheckedEnvironment& environment,
                              const gpu::HostQuestion& question) {
  HostVerdict verdict{question, {}, gpu::Verdict::Ok};
  gpu::HostQuestion asked = question;
  if (asked.glibc.empty()) asked.glibc = environment.glibc;
  verdict.findings =
      gpu::judge({environment.layers, environment.system, environment.debian_packages,
                  environment.host_libraries, environment.foreign_layers},
                 asked, gpu::compatibility_tables());
  if (environment.slim) {
    const auto more = judge_slim_label(*environment.slim, asked.gpus);
    verdict.findings.insert(verdict.findings.begin(), more.begin(), more.end());
  }
  verdict.verdict = gpu::overall(verdict.findings);
  return verdict;
}

}  // namespace slipway::plan
