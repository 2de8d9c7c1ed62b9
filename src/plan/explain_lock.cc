#include "plan/explain_lock.h"

#include <algorithm>
#include <vector>

#include "gpu/chain_tables.h"
#include "version/package_name.h"
#include "version/version.h"

namespace slipway::plan {
namespace {

std::string driver_line(const spec::Lock& lock) {
  const auto driver = gpu::driver_floor(gpu::compatibility_tables(), lock.cuda);
  if (!driver) return {};
  const std::string compat =
      lock.cuda_compat.empty()
          ? ""
          : fmt::format("; where it is older, cuda-compat {} stands in for it", lock.cuda_compat);
  return fmt::format("└─ CUDA {} needs an NVIDIA driver of {} or newer{}\n", lock.cuda,
                     driver->text(), compat);
}

/// `packages`: the first that is in the lock brings it onto a base image.
std::string bringer(const spec::Lock& lock, std::initializer_list<std::string> packages) {
  for (const std::string& package : packages) {
    const auto deb = std::ranges::find(lock.debs, package, &spec::LockedDeb::name);
    if (!lock.base || deb == lock.debs.end()) continue;
    return fmt::format("{} {} from `{}` brings it onto the base `{}` (`slipway why {}`)", deb->name,
                       deb->version, deb->index, lock.base->image, deb->name);
  }
  if (!lock.base) return fmt::format("Debian {}, the base, brings it", lock.debian);
  return fmt::format("the base `{}`{} brings it", lock.base->image,
                     lock.base->os.empty() ? "" : fmt::format(" ({})", lock.base->os));
}

std::string explain_cuda(const spec::Lock& lock) {
  if (lock.cuda.empty()) return "nothing in slipway.lock is built for a CUDA that is known\n";
  std::string text = fmt::format("CUDA {}\n", lock.cuda);
  if (const spec::LockedWheel* torch = find_wheel(lock, "torch")) {
    text += fmt::format("├─ torch {} from `{}` is built for it\n", torch->version, torch->index);
  }
  return text + driver_line(lock);
}

std::string explain_driver(const spec::Lock& lock) {
  std::string text = lock.driver.empty()
                         ? "slipway.toml says no driver (`target.driver`)\n"
                         : fmt::format("driver {}, as slipway.toml says\n", lock.driver);
  if (!lock.cuda.empty()) text += driver_line(lock);
  return text;
}

std::string explain_gpu(const spec::Lock& lock) {
  std::string text =
      lock.gpus.empty() ? "slipway.toml says no GPU (`target.gpu`)\n"
                        : fmt::format("GPU {}, as slipway.toml says\n", fmt::join(lock.gpus, ", "));
  if (const spec::LockedWheel* torch = find_wheel(lock, "torch"))
    text += explain_wheel_layers(lock, *torch);
  return text;
}

}  // namespace

const spec::LockedWheel* find_wheel(const spec::Lock& lock, const std::string& name) {
  const auto parsed = version::PackageName::parse(name);
  if (!parsed.ok()) return nullptr;
  const auto wheel = std::ranges::find(lock.wheels, parsed->text(), &spec::LockedWheel::name);
  return wheel == lock.wheels.end() ? nullptr : &*wheel;
}

std::optional<std::string> explain_layer(const spec::Lock& lock, const std::string& word) {
  if (word == "cuda") return explain_cuda(lock);
  if (word == "driver") return explain_driver(lock);
  if (word == "gpu") return explain_gpu(lock);
  if (word == "glibc")
    return fmt::format("glibc {}\n└─ {}\n", lock.glibc, bringer(lock, {"libc6"}));
  if (word == "python") {
    const std::string package = "python" + lock.python_version;
    return fmt::format("Python {}\n└─ {}{}\n", lock.base ? lock.base->python : lock.python_version,
                       bringer(lock, {package + "-minimal", package}),
                       lock.base ? ": " + lock.base->interpreter : "");
  }
  return std::nullopt;
}

std::string explain_wheel_layers(const spec::Lock& lock, const spec::LockedWheel& wheel) {
  if (wheel.name != "torch" || lock.cuda.empty()) return {};
  std::string text = fmt::format("it is built for CUDA {}\n", lock.cuda) + driver_line(lock);
  const auto version = version::Version::parse(wheel.version);
  if (!version.ok()) return text;
  const gpu::TorchArch* row =
      gpu::find_torch_arch(gpu::compatibility_tables(), version->series(), lock.cuda);
  if (row == nullptr || row->torch != version->series()) return text;  // a guess is no answer
  return text + fmt::format("it has code for GPUs of compute capability {}\n",
                            gpu::capabilities_text(*row));
}

}  // namespace slipway::plan
