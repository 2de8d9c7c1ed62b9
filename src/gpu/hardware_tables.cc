#include <algorithm>

#include "gpu/compatibility_row.h"

namespace slipway::gpu {
namespace {

Architecture read_architecture(Row& row) {
  Architecture read;
  read.capability = row.capability("compute_capability");
  read.name = row.text("name");
  read.first_cuda = row.text("first_cuda");
  read.last_cuda = row.optional_text("last_cuda");
  read.first_driver = row.optional_driver("first_driver");
  read.last_driver = row.optional_driver("last_driver");
  read.tensor_cores = row.optional_flag("tensor_cores", false);
  read.soc = row.optional_flag("soc", false);
  return read;
}

GpuModel read_gpu(Row& row) {
  GpuModel read;
  read.name = row.text("name");
  read.aliases = row.texts("aliases");
  read.capability = row.capability("compute_capability");
  read.kind = row.text("kind");
  // Said only where it differs from the architecture's: there it is false.
  read.tensor_cores = row.optional_flag("tensor_cores", true);
  return read;
}

const Architecture* find_architecture(const CompatibilityTables& tables, ComputeCapability one) {
  for (const Architecture& row : tables.architectures) {
    if (row.capability == one) return &row;
  }
  return nullptr;
}

}  // namespace

bool read_hardware_row(std::string_view kind, Row& row, CompatibilityTables& into) {
  if (kind == "cpu_floor") {
    into.cpu_floors.push_back({row.text("package"), row.text("versions"), row.text("level")});
    return true;
  }
  if (kind == "architecture") {
    into.architectures.push_back(read_architecture(row));
  } else if (kind == "gpu") {
    into.gpus.push_back(read_gpu(row));
  } else if (kind == "cuda_driver") {
    into.cuda_drivers.push_back({row.text("cuda"), row.driver("min_driver")});
  } else if (kind == "cuda_release") {
    into.cuda_releases.push_back({row.text("cuda"), row.driver("driver")});
  } else if (kind == "ptx_version") {
    into.ptx_versions.push_back({row.text("ptx"), row.text("cuda")});
  } else if (kind == "torch_cuda") {
    into.torch_cudas.push_back({row.text("torch"), row.texts("cuda")});
  } else if (kind == "torch_arch") {
    into.torch_archs.push_back(
        {row.text("torch"), row.text("cuda"), row.capabilities("sass"), row.capabilities("ptx")});
  } else if (kind == "library_floor") {
    into.library_floors.push_back({row.text("library"), row.capability("compute_capability"),
                                   row.text("version"), row.text("verdict")});
  } else if (kind == "forward_compatibility") {
    into.forward_compatibilities.push_back(
        {row.text("cuda"), row.texts("kinds"), row.branches("branches"), {}});
  } else {
    return false;
  }
  return true;
}

Result<void> link_hardware(CompatibilityTables& tables) {
  for (GpuModel& model : tables.gpus) {
    const Architecture* const row = find_architecture(tables, model.capability);
    if (row == nullptr)
      return make_error(ErrorKind::Corrupt, "compatibility data: no architecture {} for `{}`",
                        model.capability.text(), model.name);
    model.tensor_cores = model.tensor_cores && row->tensor_cores;
    model.first_driver = row->first_driver;
    model.last_driver = row->last_driver;
  }
  for (ForwardCompatibility& row : tables.forward_compatibilities) {
    const auto release = std::ranges::find(tables.cuda_releases, row.cuda, &CudaRelease::cuda);
    if (release == tables.cuda_releases.end())
      return make_error(ErrorKind::Corrupt, "compatibility data: no release of CUDA {}", row.cuda);
    row.driver = release->driver;
  }
  for (const Architecture& row : tables.architectures) {
    GpuModel model;
    model.name = row.capability.sm();
    model.capability = row.capability;
    model.kind = row.soc ? "jetson" : "";
    model.tensor_cores = row.tensor_cores;
    model.first_driver = row.first_driver;
    model.last_driver = row.last_driver;
    tables.gpus.push_back(std::move(model));
  }
  return {};
}

}  // namespace slipway::gpu
