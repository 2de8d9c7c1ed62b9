/// The proof: whether what is in an environment runs on given GPUs, drivers and C libraries.
///
/// Pure. Facts come from the bytes (LayerLibraries) and from data/compatibility.toml. What decides:
/// a library of torch, or of a package that extends it, without code for a GPU is *broken* there; a
/// library of NVIDIA's that is too old for it, code that must be compiled at first use, and a torch
/// for the CPU are *slow*. What could not be read is *unknown*.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/closure.h"
#include "gpu/compatibility.h"
#include "gpu/library_scan.h"

namespace slipway::gpu {

enum class Verdict { Ok, Slow, Unknown, Broken };  ///< worst last
std::string_view word_of(Verdict verdict);

struct Finding {
  std::string layer;    ///< gpu, driver, cuda, framework or system
  std::string subject;  ///< `torch 2.6.0`
  std::string file;     ///< path in the environment; may be empty
  std::string gpu;      ///< the name asked for; empty where the finding is of no GPU
  Verdict verdict = Verdict::Ok;
  std::string reason;
  std::string remedy;  ///< may be empty
  bool operator==(const Finding&) const = default;
};

/// What is asked: an empty field asks nothing.
struct HostQuestion {
  std::string name;  ///< of a host of a fleet
  std::vector<GpuModel> gpus;
  std::optional<DriverVersion> driver;
  std::string glibc;             ///< `2.28`
  std::string cuda_compat = {};  ///< `12.8`: what the host brings besides its driver
  bool operator==(const HostQuestion&) const = default;
};

/// What the environment is made of. Borrowed.
struct Environment {
  std::span<const LayerLibraries> layers;  ///< lowest first
  System system = System::Inside;          ///< whether the C library and its like are among them
  /// Outside, of a lock: the names of the Debian packages below the wheels, sorted.
  std::optional<std::vector<std::string>> debian_packages = {};
  std::vector<std::string> host_libraries = {};  ///< see ClosureRequest
  std::size_t foreign_layers = 0;                ///< likewise
};

/// By layer, as they stand in Finding, then worst first. Never empty where something was asked.
std::vector<Finding> judge(const Environment& environment, const HostQuestion& question,
                           const CompatibilityTables& tables);

/// The same without the layer `system`: for who has looked at the closure already.
std::vector<Finding> judge_code(const Environment& environment, const HostQuestion& question,
                                const CompatibilityTables& tables);

/// Broken if one is; else Unknown if one is; else Ok.
Verdict overall(std::span<const Finding> findings);

}  // namespace slipway::gpu
