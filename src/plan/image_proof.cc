#include "plan/image_proof.h"

#include <algorithm>
#include <map>

#include "base/threads.h"
#include "gpu/closure.h"
#include "gpu/compatibility.h"
#include "plan/base_image.h"
#include "plan/check_environment.h"
#include "plan/layer_facts.h"

namespace slipway::plan {
namespace {

gpu::ClosureReport find_missing(std::span<const gpu::LayerLibraries> libraries,
                                std::size_t foreign_layers, const spec::Lock& lock) {
  std::map<std::string, std::string> owners;
  gpu::ClosureRequest request;
  request.layers = libraries;
  request.foreign_layers = foreign_layers;
  for (const gpu::LayerLibraries& layer : libraries) {
    for (const gpu::LibraryFile& file : layer.elves) owners[file.path] = file.owner;
  }
  request.find_owner = [&](const std::string& path) {
    const auto owner = owners.find(path);
    return owner == owners.end() ? std::string() : owner->second;
  };
  for (const spec::LockedWheel& wheel : lock.wheels) request.installed[wheel.name] = wheel.version;
  return gpu::check_closure(request);
}

/// The target's hosts: what is broken there.
Result<void> check_target(std::span<const gpu::LayerLibraries> libraries, const spec::Lock& lock,
                          const Tools& tools) {
  const gpu::HostQuestion question =
      TRY(make_question({"", lock.gpus, lock.driver, "", lock.cuda_compat}));
  if (question.gpus.empty() && !question.driver) return {};
  Error error = make_error(ErrorKind::Unsolvable, "the image would not run on its target");
  for (const gpu::Finding& finding :
       gpu::judge_code({libraries, gpu::System::Inside}, question, gpu::compatibility_tables())) {
    if (finding.verdict == gpu::Verdict::Slow)
      tools.reporter.warn(fmt::format("slow: {}{}: {}", finding.subject,
                                      finding.gpu.empty() ? "" : " on " + finding.gpu,
                                      finding.reason));
    if (finding.verdict != gpu::Verdict::Broken) continue;
    error.because.push_back(fmt::format("{}{}: {}", finding.subject,
                                        finding.gpu.empty() ? "" : " on " + finding.gpu,
                                        finding.reason));
    if (!finding.remedy.empty()) error.hints.push_back(finding.remedy);
  }
  if (error.because.empty()) return {};
  return error;
}

}  // namespace

Result<void> prove_image(const store::Store& store, const spec::Lock& lock,
                         std::span<const ImageLayer> layers, const Tools& tools) {
  std::string text = fmt::format("{} {} {} {}", kProofRules, fmt::join(lock.gpus, ","), lock.driver,
                                 lock.cuda_compat);
  for (const ImageLayer& layer : layers) text += " " + layer.diff_id.hex();
  const Digest key = sha256(text);
  if (TRY(store.find_known("closure", key))) return {};

  std::vector<gpu::LayerLibraries> libraries(layers.size());
  const auto read = [&](std::size_t i) -> Result<void> {
    libraries[i] = TRY(read_layer_facts(store, layers[i].diff_id, tools));
    return {};
  };
  TRY(for_each_parallel(layers.size(), usable_cores(), tools.cancel, read));
  const gpu::ClosureReport report = find_missing(
      libraries, static_cast<std::size_t>(std::ranges::count_if(layers, is_base_layer)), lock);
  if (!report.missing.empty()) {
    Error error = gpu::closure_error(report.missing);
    if (lock.base) {
      error.hints.push_back(fmt::format(
          "name the packages that have them under `apt` of [base], or take another base than `{}`",
          lock.base->image));
    }
    return error;
  }
  TRY(check_target(libraries, lock, tools));
  tools.reporter.done(
      fmt::format("proved: the libraries that {} ELF files need are in the image{}", report.files,
                  report.optional.empty()
                      ? ""
                      : fmt::format(" ({} known gaps that do no harm)", report.optional.size())));
  return store.put_known("closure", key, fmt::format("{} files\n", report.files));
}

}  // namespace slipway::plan
