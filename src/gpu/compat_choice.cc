#include "gpu/compat_choice.h"

#include <algorithm>

#include "gpu/forward_compatibility.h"
#include "gpu/gpu_names.h"

namespace slipway::gpu {
namespace {

using Use = CompatAnswer::Use;

/// nvmlBrandType_t: NVS, GRID, GeForce, Titan, GeForce RTX, Titan RTX. No note names them.
constexpr int kConsumerBrands[] = {3, 4, 5, 6, 15, 16};

template <typename List>
bool holds(const List& list, int number) {
  return std::ranges::find(list, number) != std::end(list);
}

std::string words(const std::vector<int>& branches) {
  ForwardCompatibility row;
  row.branches = branches;
  return branches_text(row);
}

std::string branch_reason(const std::vector<int>& branches, const DriverVersion& host) {
  return fmt::format("it stands in for drivers of the branches {} alone, and this host's is {}",
                     words(branches), host.text());
}

std::string kind_reason(const Gpu& gpu) {
  return fmt::format("it does not work on this kind of GPU, {} (CUDA's error 804)", gpu.name);
}

const GpuModel* find_model(const CompatibilityTables& tables, const Gpu& gpu) {
  if (const GpuModel* const model = find_gpu(tables, gpu.name)) return model;
  return find_gpu(tables, fmt::format("sm_{}{}", gpu.compute_major, gpu.compute_minor));
}

/// Whether the note, or else the table, is for such GPUs; of one that nobody knows nothing is said.
bool is_kind_wrong(const CompatQuestion& question, const ForwardCompatibility* row, const Gpu& gpu,
                   const GpuModel* model) {
  if (const auto& note = question.libcuda.note) {
    return gpu.brand > 0 && !note->brands.empty() && !holds(note->brands, gpu.brand);
  }
  if (model == nullptr || model->kind.empty()) return holds(kConsumerBrands, gpu.brand);
  return row != nullptr ? !fits_kind(*row, model->kind) : model->kind != "data-centre";
}

/// Empty: nothing stands against it.
std::string find_gpu_reason(const CompatibilityTables& tables, const CompatQuestion& question,
                            const ForwardCompatibility* row) {
  for (const Gpu& gpu : question.gpus) {
    const GpuModel* const model = find_model(tables, gpu);
    if (is_kind_wrong(question, row, gpu, model)) return kind_reason(gpu);
    if (model != nullptr && model->last_driver &&
        question.compat.branch() > model->last_driver->branch()) {
      return fmt::format("it knows compute capability {} of {} no longer", model->capability.text(),
                         gpu.name);
    }
  }
  return "";
}

}  // namespace

CompatAnswer choose_compat(const CompatibilityTables& tables, const CompatQuestion& question) {
  const ForwardCompatibility* const row = find_forward_compatibility(tables, question.compat);
  const CompatLibrary& libcuda = question.libcuda;
  CompatAnswer answer{Use::No, "", row != nullptr ? row->cuda : ""};
  if (libcuda.note && !libcuda.note->cuda.empty()) answer.cuda = libcuda.note->cuda;
  const bool is_newer = libcuda.note ? compare(question.compat, question.host) > 0
                                     : question.compat.branch() > question.host.branch();
  if (!is_newer) return {Use::NotNeeded, "", answer.cuda};
  if (!libcuda.note_problem.empty()) {
    answer.reason = libcuda.note_problem;
  } else if (libcuda.note && !holds(libcuda.note->branches, question.host.branch())) {
    answer.reason = branch_reason(libcuda.note->branches, question.host);
  } else if (!libcuda.note && row != nullptr && !fits_driver(*row, question.host)) {
    answer.reason = branch_reason(row->branches, question.host);
  } else {
    answer.reason = find_gpu_reason(tables, question, row);
  }
  if (answer.reason.empty()) answer.use = Use::Yes;
  return answer;
}

}  // namespace slipway::gpu
