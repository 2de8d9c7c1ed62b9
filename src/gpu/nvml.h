/// NVML, the driver's own library of facts: opened at run time, asked, and closed.
///
/// The functions used are those of nvml.h that exist since driver 331; newer ones are asked for and
/// done without. The library's ABI is stable and versioned by symbol names (NVML API Reference
/// Guide).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/host.h"

namespace slipway::gpu {

/// Values of nvmlReturn_t that mean something of their own to us.
namespace nvml_status {
inline constexpr int kSuccess = 0;
inline constexpr int kNoPermission = 4;
inline constexpr int kInsufficientSize = 7;
inline constexpr int kDriverNotLoaded = 9;
inline constexpr int kGpuIsLost = 15;
inline constexpr int kResetRequired = 16;
inline constexpr int kOperatingSystem = 17;
inline constexpr int kVersionMismatch = 18;
/// Ours: this driver's NVML has no such function.
inline constexpr int kNoFunction = -1;
}  // namespace nvml_status

struct NvmlMemory {  ///< nvml.h: nvmlMemory_t
  unsigned long long total_bytes = 0, free_bytes = 0, used_bytes = 0;
};

class Nvml {
 public:
  using Device = void*;

  /// Opens `library` (a path or a bare name) without starting it. NotFound: there is no such
  /// library, or it cannot be loaded.
  static Result<Nvml> load(const std::string& library);
  /// Starts NVML: the status, for `words`. NVML counts its users in a process: each that started it
  /// stops it again, and others may go on.
  int start();

  /// Both. Unavailable: it does not start, with NVML's own words.
  static Result<Nvml> open(const std::string& library);

  Nvml(Nvml&&) noexcept = default;
  Nvml& operator=(Nvml&&) noexcept = default;

  Result<std::string> driver_version() const;
  Result<std::string> cuda_version() const;
  Result<std::vector<Gpu>> gpus() const;
  Result<Gpu> read_gpu(Device device) const;
  /// `0000:41:00.0` as sysfs writes it; empty where it cannot be had.
  std::string pci_slot(Device device) const;
  /// Nothing where this driver does not say.
  std::optional<PeerLink> peer_link(Device one, Device other) const;
  /// Where the library was found: the folder of the driver's other files.
  std::string folder() const;

  /// The status of one function of NVML. The arguments must have just the types of nvml.h.
  template <typename... Args>
  int ask(const char* name, Args... args) const {
    const auto function = reinterpret_cast<int (*)(Args...)>(find(name));
    return function != nullptr ? function(args...) : nvml_status::kNoFunction;
  }
  std::string words(int status) const;

 private:
  struct Close {
    bool has_started;
    void operator()(void* handle) const;
  };
  explicit Nvml(void* handle) : handle_(handle, Close{false}) {}

  void* find(const char* name) const;
  Result<void> check(const char* name, int status) const;

  std::unique_ptr<void, Close> handle_;
};

}  // namespace slipway::gpu
