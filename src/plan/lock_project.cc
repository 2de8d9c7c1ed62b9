#include "plan/lock_project.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/nearest.h"
#include "index/debian_index.h"
#include "layer/debian_layer.h"
#include "plan/indexes.h"
#include "plan/python_source.h"
#include "solve/explain.h"
#include "solve/python.h"
#include "solve/solve.h"
#include "version/requirement.h"

namespace slipway::plan {
namespace {

using Upgrade = LockRequest::Upgrade;

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

/// Names that a named upgrade sets free; an unknown one is refused.
Result<std::set<std::string>> upgraded_names(const LockRequest& request, const spec::Lock* old) {
  std::set<std::string> names;
  if (request.upgrade != Upgrade::Named) return names;
  std::vector<std::string> known;
  if (old != nullptr) {
    for (const spec::LockedWheel& wheel : old->wheels) known.push_back(wheel.name);
    for (const spec::LockedDeb& deb : old->debs) known.push_back(deb.name);
  }
  for (const std::string& text : request.packages) {
    const auto normal = version::PackageName::parse(text);
    const std::string name = normal.ok() ? normal->text() : text;
    if (std::ranges::find(known, name) == known.end() &&
        std::ranges::find(known, text) == known.end()) {
      Error error = make_error(ErrorKind::InvalidInput,
                               "cannot upgrade `{}`: it is not in slipway.lock", text);
      const auto nearest = find_nearest(name, known);
      if (!nearest.empty()) error.hints.push_back(did_you_mean(nearest));
      return error;
    }
    names.insert(name);
    names.insert(text);
  }
  return names;
}

/// What an old lock asks to be kept.
class Kept {
 public:
  Kept(const spec::Lock* old, Upgrade upgrade, std::set<std::string> freed,
       std::optional<UtcTime> before)
      : old_(upgrade == Upgrade::Everything ? nullptr : old),
        freed_(std::move(freed)),
        before_(before) {}

  const std::optional<UtcTime>& before() const { return before_; }

  std::map<std::string, std::string> wheels() const {
    std::map<std::string, std::string> versions;
    if (old_ == nullptr || old_->before != before_) return versions;
    for (const spec::LockedWheel& wheel : old_->wheels) {
      if (!freed_.contains(wheel.name)) versions[wheel.name] = wheel.version;
    }
    return versions;
  }
  std::vector<index::DebPreference> debs() const {
    std::vector<index::DebPreference> versions;
    if (old_ == nullptr) return versions;
    for (const spec::LockedDeb& deb : old_->debs) {
      if (!freed_.contains(deb.name)) versions.push_back({deb.name, deb.version});
    }
    return versions;
  }

 private:
  const spec::Lock* old_;
  std::set<std::string> freed_;
  std::optional<UtcTime> before_;  ///< of the new lock
};

/// "2.36" of Debian's "1:2.36-9+deb12u13".
std::string upstream_version(std::string_view version) {
  if (const std::size_t colon = version.find(':'); colon != std::string_view::npos) {
    version.remove_prefix(colon + 1);
  }
  return std::string(version.substr(0, version.find_first_of("-+~")));
}

Result<std::string> version_of(std::span<const index::DebFile> debs, std::string_view package) {
  for (const index::DebFile& deb : debs) {
    if (deb.package == package) return upstream_version(deb.version);
  }
  return make_error(ErrorKind::Unsupported, "this Debian release has no package `{}`", package);
}

Result<std::vector<index::DebFile>> solve_debian(const ProjectFolder& project, const Kept& kept,
                                                 const Indexes& indexes, http::Client& client,
                                                 const Tools& tools) {
  const std::string& release = project.spec.base.debian;
  const std::string architecture =
      TRY(index::debian_architecture(project.spec.target.architectures.front()));
  const auto sources = TRY(indexes.debian(release));
  index::DebianIndex debian = TRY(index::DebianIndex::fetch(
      sources, release, architecture, client, tools.cache_folder, tools.reporter, tools.cancel));
  std::vector<std::string> packages = layer::always_included_debs(3, 11);
  packages.insert(packages.end(), project.spec.base.apt.begin(), project.spec.base.apt.end());
  return debian.solve(packages, kept.debs());
}

Result<std::vector<solve::Requirement>> asked_of_python(const ProjectFolder& project,
                                                        const PythonSource& source) {
  std::vector<version::Requirement> parsed;
  for (const std::string& text : project.spec.python.packages) {
    parsed.push_back(TRY(version::parse_requirement(text)));
  }
  // What `python -m venv` brings on 3.11 (ensurepip), locked like everything else. triton 3.2
  // imports setuptools and declares nothing.
  for (const char* text : {"pip", "setuptools"}) {
    parsed.push_back(TRY(version::parse_requirement(text)));
  }
  return solve::applicable_requirements(parsed, source.environment(), "");
}

Result<std::vector<spec::LockedWheel>> locked_wheels(const solve::Solution& solution,
                                                     const PythonSource& source,
                                                     const std::string& index, Reporter& reporter) {
  std::vector<spec::LockedWheel> wheels;
  for (const solve::Chosen& chosen : solution.packages) {
    if (chosen.is_given) continue;
    const index::WheelFile* file = source.find_wheel(chosen.name, chosen.version);
    SLIPWAY_CHECK(file != nullptr);
    spec::LockedWheel wheel;
    wheel.name = chosen.name;
    wheel.version = chosen.version;
    wheel.index = index;
    wheel.file_name = file->file_name;
    wheel.size_bytes = *file->size_bytes;
    wheel.sha256 = *file->sha256;
    wheel.requires_python = file->requires_python;
    wheel.extras = chosen.extras;
    wheel.because = chosen.needed_by;
    for (const std::string& name : chosen.needs) {
      if (name != kPythonPackage) wheel.dependencies.push_back(name);
    }
    for (const std::string& extra : chosen.unknown_extras) {
      reporter.warn(fmt::format("{} {} has no extra `{}`", chosen.name, chosen.version, extra));
    }
    if (chosen.is_yanked) {
      reporter.warn(fmt::format("{} {} was yanked from the index", chosen.name, chosen.version));
    }
    wheels.push_back(std::move(wheel));
  }
  return wheels;
}

Result<std::vector<spec::LockedWheel>> solve_python(const ProjectFolder& project, const Kept& kept,
                                                    const spec::Lock& lock,
                                                    const std::string& python_version,
                                                    index::SimpleIndex& python,
                                                    const Tools& tools) {
  PythonSource::Options options;
  options.target.architecture = lock.architecture;
  options.target.glibc_major = 2;
  const auto glibc = TRY(version::Version::parse(lock.glibc));
  if (glibc.release().size() > 1) {
    options.target.glibc_minor = static_cast<int>(glibc.release()[1]);
  }
  options.python_version = python_version;
  options.python_given =
      fmt::format("Debian {} brings Python {}", project.spec.base.debian, python_version);
  options.known_names = known_names(tools);
  options.before = kept.before();
  PythonSource source(python, std::move(options));

  solve::Request request;
  request.requirements = TRY(asked_of_python(project, source));
  request.preferences = kept.wheels();
  const auto outcome = TRY(solve::solve(request, source, tools.cancel));
  if (const auto* conflict = std::get_if<solve::Conflict>(&outcome)) {
    solve::Explanation explanation = solve::explain(*conflict);
    Error error = make_error(ErrorKind::Unsolvable, "nothing satisfies `{}`", project.file());
    error.because = std::move(explanation.because);
    error.hints = std::move(explanation.hints);
    return error;
  }
  return locked_wheels(std::get<solve::Solution>(outcome), source, python.name(), tools.reporter);
}

/// A date holds until another one is named, or everything is to be new.
std::optional<UtcTime> cut_off(const LockRequest& request, const spec::Lock* old) {
  if (request.before || request.upgrade == Upgrade::Everything || old == nullptr) {
    return request.before;
  }
  return old->before;
}

std::string change_of_date(const spec::Lock& lock) {
  return lock.before ? "wheels from before " + utc_time_text(*lock.before)
                     : std::string("wheels of any date");
}

/// Each name once, with what happened to it.
template <typename Locked>
void add_changes(const std::vector<Locked>& before, const std::vector<Locked>& after,
                 std::vector<std::string>& changes) {
  std::map<std::string, std::pair<const Locked*, const Locked*>> names;
  for (const Locked& one : before) names[one.name].first = &one;
  for (const Locked& one : after) names[one.name].second = &one;
  for (const auto& [name, pair] : names) {
    const auto& [old, now] = pair;
    if (now == nullptr) {
      changes.push_back(fmt::format("- {} {}", name, old->version));
    } else if (old == nullptr) {
      changes.push_back(fmt::format("+ {} {}", name, now->version));
    } else if (old->version != now->version) {
      changes.push_back(fmt::format("{} {} -> {}", name, old->version, now->version));
    } else if (old->sha256 != now->sha256) {
      changes.push_back(fmt::format("{} {}: another file", name, now->version));
    }
  }
}

Result<spec::Lock> solve_all(const ProjectFolder& project, const Kept& kept, Indexes& indexes,
                             const Tools& tools) {
  index::SimpleIndex* python = TRY(indexes.python());
  // The index answers while Debian is being solved.
  for (const std::string& text : project.spec.python.packages) {
    const auto requirement = version::parse_requirement(text);
    if (requirement.ok()) (void)python->prefetch_project(requirement->name);
  }
  const auto debs = TRY_WHILE("solving the Debian packages",
                              solve_debian(project, kept, indexes, indexes.client(), tools));
  spec::Lock lock;
  lock.slipway_version = SLIPWAY_VERSION;
  lock.inputs = spec::inputs_digest(project.spec);
  lock.before = kept.before();
  lock.python_version = project.spec.python.version;
  lock.architecture = project.spec.target.architectures.front();
  lock.glibc = TRY(version_of(debs, "libc6"));
  lock.debian = project.spec.base.debian;
  lock.gpus = project.spec.target.gpus;
  lock.driver = project.spec.target.driver;
  for (const index::DebFile& deb : debs) {
    lock.debs.push_back({deb.package, deb.version, deb.architecture, deb.index, deb.path,
                         deb.size_bytes, deb.sha256});
  }
  const std::string python_version = TRY(version_of(debs, "python" + lock.python_version));
  lock.wheels = TRY(solve_python(project, kept, lock, python_version, *python, tools));
  return lock;
}

}  // namespace

Result<LockOutcome> lock_project(const ProjectFolder& project, const LockRequest& request,
                                 const Tools& tools) {
  std::optional<spec::Lock> old = TRY(find_lock(project));
  const spec::Lock* before = old ? &*old : nullptr;
  const std::optional<UtcTime> date = cut_off(request, before);
  if (old && request.upgrade == Upgrade::Nothing && old->before == date &&
      old->inputs == spec::inputs_digest(project.spec)) {
    return LockOutcome{std::move(*old), false, {}};
  }
  const Kept kept(before, request.upgrade, TRY(upgraded_names(request, before)), date);
  const auto freshness = request.upgrade == Upgrade::Nothing ? index::Freshness::UseCached
                                                             : index::Freshness::Revalidate;
  Indexes indexes = TRY(Indexes::open(tools, freshness));
  LockOutcome outcome{TRY(solve_all(project, kept, indexes, tools)), false, {}};

  const std::string text = spec::write_lock(outcome.lock);
  outcome.lock = TRY(spec::parse_lock(text, project.lock_file()));
  if (old) {
    if (old->before != date) outcome.changes.push_back(change_of_date(outcome.lock));
    add_changes(old->wheels, outcome.lock.wheels, outcome.changes);
    add_changes(old->debs, outcome.lock.debs, outcome.changes);
  }
  outcome.changed = !old || spec::write_lock(*old) != text;
  if (outcome.changed) TRY(write_file(project.lock_file(), text));
  return outcome;
}

}  // namespace slipway::plan
