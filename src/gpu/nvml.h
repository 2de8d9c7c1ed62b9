/// NVML, the driver's own library of facts: opened at run time, asked, and closed.
///
/// The functions used are those of nvml.h that exist since driver 331; the library's ABI is stable
/// and versioned by symbol names (NVML API Reference Guide).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "gpu/host.h"

namespace slipway::gpu {

class Nvml {
 public:
  /// Opens `library` (a path or a bare name) and starts NVML. NotFound: there is no such library.
  /// Unavailable: it does not start, with NVML's own words.
  static Result<Nvml> open(const std::string& library);

  Nvml(Nvml&&) noexcept = default;
  Nvml& operator=(Nvml&&) noexcept = default;

  Result<std::string> driver_version() const;
  Result<std::string> cuda_version() const;
  Result<std::vector<Gpu>> gpus() const;
  /// Where the library was found: the folder of the driver's other files.
  std::string folder() const;

 private:
  struct Close {
    void operator()(void* handle) const;
  };
  explicit Nvml(void* handle) : handle_(handle) {}

  template <typename... Args>
  Result<void> call(const char* name, Args... args) const;
  Result<Gpu> read_gpu(unsigned index) const;

  std::unique_ptr<void, Close> handle_;
};

}  // namespace slipway::gpu
