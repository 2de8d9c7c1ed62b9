#include "plan/run_gpu.h"

#include "base/file.h"
#include "gpu/host.h"
#include "gpu/loader_cache.h"
#include "plan/run_words.h"

namespace slipway::plan {
namespace {

/// Where a GPU run finds the driver's libraries: one folder, theirs alone.
constexpr const char* kDriverFolder = "/usr/lib/slipway-driver";
constexpr std::string_view kGpuDevice = "nvidia.com/gpu=";

/// The image's cache, with the driver's names in it.
Result<std::string> make_loader_cache(const std::string& of_image, const run::DriverFiles& driver) {
  gpu::LoaderCache cache;
  if (!of_image.empty()) {
    cache = TRY_WHILE("reading /etc/ld.so.cache of the image", gpu::parse_loader_cache(of_image));
  }
  std::vector<std::string> names;
  for (const std::string& library : driver.libraries) names.emplace_back(base_name(library));
  for (const gpu::DriverLink& link : driver.links) names.push_back(link.name);
  gpu::lead_to_folder(cache, driver.folder, names);
  return gpu::write_loader_cache(cache);
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

Result<void> add_gpus(const gpu::GpuChoice& choice, const ImageFiles& files,
                      run::RunRequest& request, Reporter& reporter) {
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
  request.device_nodes = host.device_nodes;
  run::DriverFiles& driver = request.driver;
  driver.folder = kDriverFolder;
  driver.libraries = host.libraries;
  driver.links = host.library_links;
  if (!host.nvidia_smi.empty()) {
    driver.programs.push_back({host.nvidia_smi, "/usr/bin/nvidia-smi", run::Access::ReadOnly});
  }
  driver.loader_cache = TRY(make_loader_cache(files.text("/etc/ld.so.cache"), driver));
  // A toolkit's hook in a container within this one must not inject a second time.
  set_variable(request.environment, "NVIDIA_VISIBLE_DEVICES=void");
  driver.version = host.driver_version;
  for (const gpu::Gpu& gpu : host.gpus) {
    if (gpu.mig_devices.empty()) driver.gpus.push_back({gpu.uuid, gpu.name});
    for (const gpu::MigDevice& part : gpu.mig_devices) {
      driver.gpus.push_back({part.uuid, part.name});
    }
  }
  for (const run::DriverFiles::Gpu& gpu : driver.gpus) reporter.note("GPU: " + gpu.name);
  return {};
}

}  // namespace slipway::plan
