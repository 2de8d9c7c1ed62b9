#include "plan/slim_plan.h"

#include <fts.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "plan/slim_layer_plan.h"

namespace slipway::plan {
namespace {

Result<std::uint64_t> bytes_below(const std::string& folder) {
  std::string path = folder;
  char* const paths[] = {path.data(), nullptr};
  const std::unique_ptr<FTS, int (*)(FTS*)> walk(
      ::fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nullptr), &::fts_close);
  if (!walk) return errno_error(fmt::format("cannot list `{}`", folder));
  std::uint64_t bytes = 0;
  while (const FTSENT* const entry = ::fts_read(walk.get())) {
    if (entry->fts_info == FTS_F) bytes += static_cast<std::uint64_t>(entry->fts_statp->st_size);
  }
  return bytes;
}

/// Bytecode of the sources that go, wherever a layer has it.
Result<void> add_bytecode(const std::string& root, const std::set<std::string>& sources,
                          LayerPlan& plan, SlimPlan& all) {
  for (const std::string& source : sources) {
    const std::string folder = parent_path(source) + "/__pycache__";
    const auto names = list_folder(root + "/" + folder);
    if (!names.ok()) continue;
    const std::string stem = base_name(source).substr(0, base_name(source).size() - 2);
    for (const std::string& name : *names) {
      if (!name.starts_with(stem) || !name.ends_with(".pyc")) continue;
      const std::string path = folder + "/" + name;
      const auto size = tree_file_size(root, "/" + path);
      if (!size || !plan.edits.try_emplace(path, layer::Remove{}).second) continue;
      all.saved_bytes += *size;
    }
  }
  return {};
}

std::set<std::string> removed_sources(const SlimPlan& plan) {
  std::set<std::string> sources;
  for (const LayerPlan& layer : plan.layers) {
    for (const auto& [path, edit] : layer.edits) {
      if (std::holds_alternative<layer::Remove>(edit) && path.ends_with(".py"))
        sources.insert(path);
    }
  }
  return sources;
}

Result<void> judge_slim(const CheckedEnvironment& environment, const SlimRequest& request,
                        const Tools& tools) {
  const HostVerdict verdict = check_environment(environment, request.host);
  if (verdict.verdict == gpu::Verdict::Unknown)
    tools.reporter.warn("`slipway check` cannot tell whether the image runs there: ask it why");
  if (verdict.verdict != gpu::Verdict::Broken) return {};
  Error error =
      make_error(ErrorKind::Unsolvable, "`{}` does not run on these GPUs", environment.name);
  for (const gpu::Finding& finding : verdict.findings) {
    if (finding.verdict != gpu::Verdict::Broken) continue;
    error.because.push_back(fmt::format("{}{}: {}", finding.subject,
                                        finding.gpu.empty() ? "" : " on " + finding.gpu,
                                        finding.reason));
    if (!finding.remedy.empty()) error.hints.push_back(finding.remedy);
  }
  return error;
}

Error nothing_to_change(const StoredImage& image, const SlimPlan& plan) {
  Error error =
      make_error(ErrorKind::Unsupported, "there is nothing to take out of `{}`", image.reference);
  std::uint64_t could = 0;
  for (const SlimPackage& package : plan.packages) could += package.holes.bytes;
  if (could == 0) return std::move(error).reason("all of its GPU code runs on these GPUs");
  return std::move(error)
      .reason("the packages that have code for other GPUs do not allow to be changed")
      .hint("`--also-proprietary`, where your licence with their makers does");
}

}  // namespace

Result<SlimPlan> plan_slim(const StoredImage& image, const SlimRequest& request,
                           const Tools& tools) {
  CheckedEnvironment environment = TRY(read_image_environment(image, tools));
  // Before the work: an image that fails now fails as a slim one, for the same reason.
  TRY(judge_slim(environment, request, tools));
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const auto& diff_ids = image.config.diff_ids;
  SlimPlan plan;
  std::vector<PlannedLayer> planned(diff_ids.size());
  std::vector<std::uint64_t> sizes(diff_ids.size());
  const auto work = [&](std::size_t i) -> Result<void> {
    const std::string tree = store.layer_path(diff_ids[i]);
    sizes[i] = TRY(bytes_below(tree));
    planned[i] = TRY(plan_layer(request, tree, i, environment.layers[i]));
    return {};
  };
  TRY(for_each_parallel(planned.size(), usable_cores(), tools.cancel, work));
  for (std::size_t i = 0; i < planned.size(); ++i) {
    plan.layers.push_back(std::move(planned[i].plan));
    plan.unpacked_bytes += sizes[i];
    plan.notes.insert(plan.notes.end(), planned[i].notes.begin(), planned[i].notes.end());
    for (SlimPackage& package : planned[i].packages) {
      plan.saved_bytes += package.saved_bytes;
      if (package.code_bytes > 0 || !package.drops.empty())
        plan.packages.push_back(std::move(package));
    }
  }
  const std::set<std::string> sources = removed_sources(plan);
  for (std::size_t i = 0; i < plan.layers.size() && !sources.empty(); ++i)
    TRY(add_bytecode(store.layer_path(diff_ids[i]), sources, plan.layers[i], plan));
  std::ranges::sort(plan.packages, {}, &SlimPackage::name);
  // The proof of what comes out: the facts are now those of the slim image.
  TRY(judge_slim(environment, request, tools));
  if (std::ranges::all_of(plan.layers, [](const LayerPlan& one) { return one.edits.empty(); }))
    return nothing_to_change(image, plan);
  return plan;
}

}  // namespace slipway::plan
