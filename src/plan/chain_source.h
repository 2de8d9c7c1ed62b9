/// The layers below Python as packages of the same solve: GPU, NVIDIA driver, CUDA and processor.
///
/// What no metadata says is read from gpu/compatibility.h: which compute capabilities a build of
/// torch has code for, which driver a CUDA needs, which processor a wheel needs, and which torch a
/// build of another package was made for. It enters the solve as requirements like any other, so a
/// choice is made through all layers at once, and a conflict is one chain from the GPU to the
/// package:
///
///   torch 2.6.0 -> CUDA 12.4 -> NVIDIA driver 525.60.13 or newer
///   torch 2.11.0 -> CUDA 13.0 -> cuda-compat, where the driver is older -> data-centre GPUs
///   torch 2.6.0 -> GPU: compute capability 5.x, 6.x, 7.x, 8.x or 9.x
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gpu/compatibility.h"
#include "plan/build_label.h"
#include "solve/package_source.h"

namespace slipway::plan {

/// What an image must run on, as far as it is said.
struct ChainTarget {
  struct Gpu {
    std::string name;  ///< as slipway.toml has it
    gpu::GpuModel model;
  };
  std::vector<Gpu> gpus;
  std::optional<gpu::DriverVersion> driver;  ///< the lowest that is allowed; nothing: not said
  std::string cuda_compat;                   ///< "12.8", one that the tables know; empty: not said
  std::string cpu;                           ///< "x86-64-v2"; empty: not said
};

/// Their names in a solve. Normal names of Python packages have neither capitals nor spaces.
inline constexpr const char* kCudaPackage = "CUDA";
inline constexpr const char* kDriverPackage = "NVIDIA driver";
inline constexpr std::string_view kCompatPrefix = "NVIDIA cuda-compat ";  ///< and its CUDA
inline constexpr const char* kCpuPackage = "CPU";
inline constexpr std::string_view kGpuPrefix = "GPU ";

/// 3 of `x86-64-v3`; 1 of `x86-64`.
int cpu_level_number(std::string_view level);

/// Whether the name is that of a layer rather than of a wheel: these, `GPU …`, and those of
/// plan/python_source.h.
bool is_layer(std::string_view name);

class ChainSource final : public solve::PackageSource {
 public:
  /// Borrows `python`, which knows everything else, and the tables.
  ChainSource(solve::PackageSource& python, const gpu::CompatibilityTables& tables,
              ChainTarget target);

  /// What the target itself asks for: that its GPUs and its driver be there.
  std::vector<solve::Requirement> asked() const;

  Result<solve::CandidateList> candidates(const std::string& name) override;
  Result<solve::Dependencies> dependencies(const solve::Package& package,
                                           const solve::Candidate& candidate) override;
  Result<solve::Selection> select(const std::string& name, const solve::CandidateList& list,
                                  const std::string& constraint) override;
  void prefetch_candidates(const std::string& name) override;
  void prefetch_dependencies(const std::string& name, const solve::Candidate& candidate) override;

 private:
  solve::CandidateList cuda_candidates() const;
  solve::CandidateList driver_candidates() const;
  solve::CandidateList compat_candidates() const;
  solve::CandidateList cpu_candidates() const;
  solve::CandidateList gpu_candidates(const std::string& name) const;
  Result<bool> gpu_meets(const std::string& name, const solve::Candidate& candidate,
                         const std::string& constraint) const;
  void add_torch_requirements(solve::Candidate& candidate) const;
  void add_companion_requirements(const std::string& name, solve::Candidate& candidate) const;
  void add_abi_requirements(const BuildLabel& label, solve::Candidate& candidate) const;
  void require_gpus(const std::string& series, const std::string& cuda,
                    std::vector<solve::Requirement>& into) const;
  void add_cpu_requirements(const std::string& name, solve::Candidate& candidate) const;
  void require_cuda(const std::string& cuda, std::vector<solve::Requirement>& into) const;
  void require_driver(const std::optional<gpu::DriverVersion>& floor,
                      std::vector<solve::Requirement>& into) const;
  void require_driver_or_compat(const std::optional<gpu::DriverVersion>& floor,
                                std::vector<solve::Requirement>& into) const;
  void require_driver_before(const std::optional<gpu::DriverVersion>& last,
                             std::vector<solve::Requirement>& into) const;

  solve::PackageSource& python_;
  const gpu::CompatibilityTables& tables_;
  ChainTarget target_;
};

}  // namespace slipway::plan
