#include "plan/run_gpu.h"

#include <algorithm>

#include "base/file.h"
#include "gpu/compat_choice.h"
#include "gpu/extra_devices.h"
#include "gpu/host.h"
#include "gpu/loader_cache.h"
#include "plan/image_compat.h"
#include "plan/run_words.h"

namespace slipway::plan {
namespace {

/// Where a GPU run finds the driver's libraries: one folder, theirs alone.
constexpr const char* kDriverFolder = "/usr/lib/slipway-driver";
constexpr std::string_view kGpuDevice = "nvidia.com/gpu=";

/// The image's cache, with the driver's names in it, and `leads`, which go before.
Result<std::string> make_loader_cache(const std::string& of_image, const run::DriverFiles& driver,
                                      const std::vector<gpu::LoaderLead>& leads) {
  gpu::LoaderCache cache;
  if (!of_image.empty()) {
    cache = TRY_WHILE("reading /etc/ld.so.cache of the image", gpu::parse_loader_cache(of_image));
  }
  std::vector<std::string> names;
  for (const std::string& library : driver.libraries) names.emplace_back(base_name(library));
  for (const gpu::DriverLink& link : driver.links) names.push_back(link.name);
  gpu::lead_to_folder(cache, driver.folder, names);
  gpu::lead_to_files(cache, leads);
  return gpu::write_loader_cache(cache);
}

/// Whether something of the host's will stand where the image has the folder.
bool is_covered(const std::string& folder, const run::RunRequest& request) {
  const auto covers = [&](const auto& mount) {
    return is_within(folder, mount.target) || is_within(mount.target, folder);
  };
  return std::ranges::any_of(request.volumes, covers) || std::ranges::any_of(request.tmpfs, covers);
}

void add_place(run::HostPlace::Kind kind, const std::string& path, run::RunRequest& request) {
  const run::HostPlace place{kind, path, path};
  if (std::ranges::find(request.host_places, place) == request.host_places.end()) {
    request.host_places.push_back(place);
  }
}

/// Why a place inside is not ours to use; empty: it is.
std::string find_obstacle(const run::HostPlace& place, const ImageFiles& files,
                          const run::RunRequest& request) {
  const auto covers = [&](const run::Volume& volume) {
    return is_within(place.target, volume.target);
  };
  if (std::ranges::any_of(request.volumes, covers)) return "a volume has its place";
  return files.is_free_of_links(place.target) ? ""
                                              : "a link of the image leads elsewhere from there";
}

/// Without compat libraries, the host's driver has to know the CUDA itself.
bool is_too_old(const gpu::HostGpus& host, const std::string& cuda) {
  const auto ours = gpu::parse_driver_version(host.cuda_version);
  const auto wanted = gpu::parse_driver_version(cuda);
  return ours.ok() && wanted.ok() && ours->branch() < wanted->branch();
}

std::optional<ImageCompat> find_compat(const gpu::HostGpus& host, const ImageFiles& files,
                                       const run::RunRequest& request, Reporter& reporter) {
  const auto driver = gpu::parse_driver_version(host.driver_version);
  if (!driver.ok() || host.is_wsl) return std::nullopt;
  std::optional<ImageCompat> compat = find_image_compat(files);
  if (!compat || is_covered(compat->folder, request)) return std::nullopt;
  const gpu::CompatAnswer answer = gpu::choose_compat(
      gpu::compatibility_tables(), {*driver, compat->version, compat->libcuda, host.gpus});
  if (answer.use == gpu::CompatAnswer::Use::NotNeeded) return std::nullopt;
  if (answer.use == gpu::CompatAnswer::Use::Yes) {
    reporter.note(fmt::format("cuda-compat: the image's libcuda {} stands in for the driver {}",
                              compat->version.text(), host.driver_version));
    return compat;
  }
  const std::string text = fmt::format("cuda-compat: the image's libcuda {} is not used: {}",
                                       compat->version.text(), answer.reason);
  if (is_too_old(host, answer.cuda)) {
    reporter.warn(fmt::format("{}; the driver itself is too old for CUDA {}", text, answer.cuda));
  } else {
    reporter.note(text);
  }
  return std::nullopt;
}

void fill_driver(const gpu::HostGpus& host, run::DriverFiles& driver) {
  driver.folder = kDriverFolder;
  driver.version = host.driver_version;
  driver.libraries = host.libraries;
  driver.links = host.library_links;
  if (!host.nvidia_smi.empty()) {
    driver.programs.push_back({host.nvidia_smi, "/usr/bin/nvidia-smi", run::Access::ReadOnly});
  }
  driver.link = gpu::weakest_link(host.gpus);
  for (const gpu::Gpu& gpu : host.gpus) {
    if (gpu.mig_devices.empty()) driver.gpus.push_back({gpu.uuid, gpu.name});
    for (const gpu::MigDevice& part : gpu.mig_devices) {
      driver.gpus.push_back({part.uuid, part.name});
    }
  }
}

}  // namespace

bool is_gpu_device(std::string_view device) { return device.starts_with(kGpuDevice); }

Result<gpu::GpuChoice> find_choice(const RunFlags& flags, const std::string& of_project) {
  std::vector<std::string> names;
  for (const std::string& text : flags.devices) {
    if (is_gpu_device(text)) names.push_back(text.substr(kGpuDevice.size()));
  }
  if (names.empty()) return flags.gpus ? *flags.gpus : gpu::parse_gpu_choice(of_project);
  if (flags.gpus) {
    return make_error(ErrorKind::InvalidInput, "`--gpus` and `--device {}{}` both choose GPUs",
                      kGpuDevice, names.front())
        .hint("leave one of them out");
  }
  if (names.front() == "all") return gpu::parse_gpu_choice("all");
  return gpu::parse_gpu_choice(fmt::format("device={}", fmt::join(names, ",")));
}

Result<void> add_gpus(const gpu::GpuChoice& choice, RunFlags::CudaCompat compat,
                      const ImageFiles& files, run::RunRequest& request, Reporter& reporter) {
  if (choice.kind == gpu::GpuChoice::Kind::None) return {};
  const bool is_automatic = choice.kind == gpu::GpuChoice::Kind::Automatic;
  gpu::HostGpus host = TRY(gpu::read_host_gpus());
  if (!host.missing.empty()) {
    if (is_automatic) return {};
    return make_error(ErrorKind::Unsupported, "`--gpus {}` cannot be had here",
                      gpu::gpu_choice_text(choice))
        .reason(host.missing)
        .hint("`slipway doctor` says what mends it; `--gpus auto` runs on the CPU");
  }
  Result<gpu::HostGpus> chosen = gpu::choose_gpus(std::move(host), choice);
  if (!chosen.ok() && is_automatic) {
    reporter.warn(chosen.error().message + ": running on the CPU");
    return {};
  }
  host = TRY(std::move(chosen));
  request.device_nodes.insert(request.device_nodes.end(), host.device_nodes.begin(),
                              host.device_nodes.end());
  using Kind = run::HostPlace::Kind;
  for (const std::string& socket : host.sockets) add_place(Kind::Socket, socket, request);
  for (const std::string& store : host.stores) add_place(Kind::Folder, store, request);
  // Its libraries open each other there, whatever the loader's cache says.
  if (host.is_wsl) add_place(Kind::Folder, "/usr/lib/wsl/lib", request);
  run::DriverFiles& driver = request.driver;
  fill_driver(host, driver);
  std::optional<ImageCompat> stand_in;
  if (compat != RunFlags::CudaCompat::Never) {
    stand_in = find_compat(host, files, request, reporter);
  }
  if (stand_in) {
    driver.compat = {stand_in->version.text(), stand_in->folder, stand_in->path,
                     stand_in->layer.text(), stand_in->on_host};
  }
  driver.loader_cache =
      TRY(make_loader_cache(files.text("/etc/ld.so.cache"), driver,
                            stand_in ? stand_in->leads : std::vector<gpu::LoaderLead>()));
  // A toolkit's hook in a container within this one must not inject a second time.
  set_variable(request.environment, "NVIDIA_VISIBLE_DEVICES=void");
  for (const run::DriverFiles::Gpu& gpu : driver.gpus) reporter.note("GPU: " + gpu.name);
  return {};
}

Result<void> add_extra_devices(const std::string& device, run::RunRequest& request) {
  const gpu::ExtraDevices found = TRY(gpu::find_extra_devices("/", device));
  for (const std::string& node : found.nodes) {
    if (std::ranges::find(request.device_nodes, node) == request.device_nodes.end()) {
      request.device_nodes.push_back(node);
    }
  }
  for (const std::string& path : found.files) add_place(run::HostPlace::Kind::File, path, request);
  for (const std::string& path : found.folders) {
    add_place(run::HostPlace::Kind::Folder, path, request);
  }
  return {};
}

void check_places(const ImageFiles& files, run::RunRequest& request, Reporter& reporter) {
  std::erase_if(request.host_places, [&](const run::HostPlace& place) {
    const std::string obstacle = find_obstacle(place, files, request);
    if (!obstacle.empty()) {
      reporter.warn(fmt::format("`{}` is left out: {}", place.source, obstacle));
    }
    return !obstacle.empty();
  });
}

}  // namespace slipway::plan
