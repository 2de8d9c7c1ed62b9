#include "plan/solve_environment.h"

#include <algorithm>

#include "base/file.h"
#include "plan/chain_source.h"
#include "plan/python_source.h"
#include "plan/remedies.h"
#include "plan/target_facts.h"
#include "solve/explain.h"
#include "solve/python.h"
#include "version/requirement.h"

namespace slipway::plan {
namespace {

/// Offered as "did you mean" beside the names that this machine has seen: an index has no answer to
/// "what is there that is called like this".
constexpr const char* kWellKnown[] = {
    "accelerate",   "datasets",     "diffusers",  "einops",       "fastapi",     "ipykernel",
    "jupyterlab",   "lightning",    "matplotlib", "notebook",     "numpy",       "opencv-python",
    "optuna",       "pandas",       "pillow",     "polars",       "pyarrow",     "pytest",
    "requests",     "scikit-learn", "scipy",      "seaborn",      "tensorboard", "timm",
    "tokenizers",   "torch",        "torchaudio", "torchmetrics", "torchvision", "tqdm",
    "transformers", "triton",       "wandb",      "xgboost"};

std::vector<std::string> known_names(const Tools& tools) {
  std::vector<std::string> names(std::begin(kWellKnown), std::end(kWellKnown));
  const auto seen = list_folder(tools.cache_folder + "/index/pypi/projects");
  if (seen.ok()) names.insert(names.end(), seen->begin(), seen->end());
  return names;
}

/// One solve: of the project, or of a changed copy of it.
class Attempt {
 public:
  Attempt(const EnvironmentRequest& request, const spec::Project& project, std::string glibc,
          Indexes& indexes, const Tools& tools)
      : request_(request),
        project_(project),
        glibc_(std::move(glibc)),
        indexes_(indexes),
        tools_(tools) {}

  Result<SolveOutcome> solve() {
    PythonSource::Options options;
    options.target.architecture = project_.target.architectures.front();
    const auto python = TRY(version::Version::parse(request_.python_version));
    if (python.release().size() > 1) {
      options.target.minor = static_cast<int>(python.release()[1]);
    }
    options.target.glibc_major = 2;
    const auto glibc = TRY(version::Version::parse(glibc_));
    if (glibc.release().size() > 1) {
      options.target.glibc_minor = static_cast<int>(glibc.release()[1]);
    }
    options.python_version = request_.python_version;
    options.python_given =
        fmt::format("{} brings Python {}", request_.base, request_.python_version);
    if (!project_.base.image.empty()) options.base_image = request_.base;
    options.known_names = known_names(tools_);
    options.before = request_.before;
    python_.emplace(indexes_, std::move(options));
    target_ = TRY(find_target_facts(project_.target, gpu::compatibility_tables()));
    ChainSource chain(*python_, gpu::compatibility_tables(), target_.chain);

    solve::Request request;
    request.requirements = TRY(asked());
    for (solve::Requirement& each : chain.asked()) request.requirements.push_back(std::move(each));
    request.preferences = request_.preferences;
    return solve::solve(request, chain, tools_.cancel);
  }

  const PythonSource& python() const { return *python_; }
  const TargetFacts& target() const { return target_; }

 private:
  Result<std::vector<solve::Requirement>> asked() const {
    std::vector<version::Requirement> parsed;
    for (const std::string& text : project_.python.packages) {
      parsed.push_back(TRY(version::parse_requirement(text)));
    }
    // What `python -m venv` brings on 3.11 (ensurepip), locked like everything else. triton 3.2
    // imports setuptools and declares nothing.
    for (const char* text : {"pip", "setuptools"}) {
      parsed.push_back(TRY(version::parse_requirement(text)));
    }
    return solve::applicable_requirements(parsed, python_->environment(), "");
  }

  const EnvironmentRequest& request_;
  const spec::Project& project_;
  std::string glibc_;
  Indexes& indexes_;
  const Tools& tools_;
  std::optional<PythonSource> python_;
  TargetFacts target_;
};

std::vector<std::string> without_layers(const std::vector<std::string>& names) {
  std::vector<std::string> wheels;
  std::ranges::copy_if(names, std::back_inserter(wheels),
                       [](const std::string& name) { return !is_layer(name); });
  return wheels;
}

spec::LockedWheel locked_wheel(const solve::Chosen& chosen, const PythonSource& python) {
  const PythonSource::Wheel* found = python.find_wheel(chosen.name, chosen.version);
  SLIPWAY_CHECK(found != nullptr);
  spec::LockedWheel wheel;
  wheel.name = chosen.name;
  wheel.version = chosen.version;
  wheel.index = found->index->name();
  wheel.file_name = found->file.file_name;
  wheel.size_bytes = *found->file.size_bytes;
  wheel.sha256 = *found->file.sha256;
  wheel.requires_python = found->file.requires_python;
  wheel.extras = chosen.extras;
  wheel.dependencies = without_layers(chosen.needs);
  wheel.because = without_layers(chosen.needed_by);
  return wheel;
}

void fill_lock(const solve::Solution& solution, const Attempt& attempt, Reporter& reporter,
               spec::Lock& lock) {
  lock.gpus = attempt.target().gpus;
  lock.driver = attempt.target().driver;
  lock.cuda_compat = attempt.target().chain.cuda_compat;
  lock.cpu = attempt.target().chain.cpu;
  for (const solve::Chosen& chosen : solution.packages) {
    if (chosen.name == kCudaPackage) lock.cuda = chosen.version;
    if (is_layer(chosen.name)) continue;
    for (const std::string& extra : chosen.unknown_extras) {
      reporter.warn(fmt::format("{} {} has no extra `{}`", chosen.name, chosen.version, extra));
    }
    if (chosen.is_yanked) {
      reporter.warn(fmt::format("{} {} was yanked from the index", chosen.name, chosen.version));
    }
    lock.wheels.push_back(locked_wheel(chosen, attempt.python()));
  }
}

/// Shown as work under way while it lasts.
template <typename Work>
auto told(Reporter& reporter, std::string_view verb, std::string_view name, const Work& work) {
  const auto task = reporter.start(verb, name, 0);
  auto result = work();
  reporter.finish(task);
  return result;
}

}  // namespace

Result<void> solve_environment(const EnvironmentRequest& request, Indexes& indexes,
                               const Tools& tools, spec::Lock& lock) {
  const spec::Project& project = request.project.spec;
  Attempt attempt(request, project, lock.glibc, indexes, tools);
  const SolveOutcome outcome =
      TRY(told(tools.reporter, "solving", "the Python packages", [&] { return attempt.solve(); }));
  if (const auto* solution = std::get_if<solve::Solution>(&outcome)) {
    fill_lock(*solution, attempt, tools.reporter, lock);
    return {};
  }
  const auto& conflict = std::get<solve::Conflict>(outcome);
  const SolveAgain solve_again = [&](const spec::Project& changed) {
    return Attempt(request, changed, lock.glibc, indexes, tools).solve();
  };
  solve::Explanation explanation = solve::explain(conflict);
  Error error = make_error(ErrorKind::Unsolvable, "nothing satisfies `{}`", request.project.file());
  error.because = std::move(explanation.because);
  error.hints = TRY(told(tools.reporter, "looking", "for changes that would do", [&] {
    return find_remedies(project, conflict, gpu::compatibility_tables(), solve_again);
  }));
  if (error.hints.empty()) error.hints = std::move(explanation.suspects);
  error.hints.insert(error.hints.begin(), std::make_move_iterator(explanation.hints.begin()),
                     std::make_move_iterator(explanation.hints.end()));
  return error;
}

}  // namespace slipway::plan
