#include "plan/lock_project.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/nearest.h"
#include "index/debian_index.h"
#include "index/debian_text.h"
#include "layer/debian_layer.h"
#include "plan/indexes.h"
#include "plan/lock_digests.h"
#include "plan/pin_base.h"
#include "plan/solve_environment.h"
#include "version/requirement.h"

namespace slipway::plan {
namespace {

using Upgrade = LockRequest::Upgrade;

/// Names that a named upgrade sets free; an unknown one is refused.
Result<std::set<std::string>> upgraded_names(const LockRequest& request, const spec::Lock* old) {
  std::set<std::string> names;
  if (request.upgrade != Upgrade::Named) return names;
  std::vector<std::string> known;
  if (old != nullptr) {
    for (const spec::LockedWheel& wheel : old->wheels) known.push_back(wheel.name);
    for (const spec::LockedDeb& deb : old->debs) known.push_back(deb.name);
    if (old->base) known.push_back(old->base->image);
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
  /// The lock whose base image stays; null where the tag is to be asked again.
  const spec::Lock* base() const {
    const bool is_free = old_ == nullptr || !old_->base || freed_.contains(old_->base->image);
    return is_free ? nullptr : old_;
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
Result<std::string> version_of(std::span<const index::DebFile> debs, std::string_view package) {
  for (const index::DebFile& deb : debs) {
    if (deb.package == package) return index::upstream_number(deb.version);
  }
  return make_error(ErrorKind::Unsupported, "this Debian release has no package `{}`", package);
}

std::vector<std::string> always_included() { return layer::always_included_debs(3, 11); }

Result<std::vector<index::DebFile>> solve_debian(const ProjectFolder& project, const Kept& kept,
                                                 const Indexes& indexes, http::Client& client,
                                                 const Tools& tools) {
  const std::string& release = project.spec.base.debian;
  const std::string architecture =
      TRY(index::debian_architecture(project.spec.target.architectures.front()));
  const auto sources = TRY(indexes.debian(release));
  index::DebianIndex debian = TRY(index::DebianIndex::fetch(
      sources, release, architecture, client, tools.cache_folder, tools.reporter, tools.cancel));
  std::vector<std::string> packages = always_included();
  packages.insert(packages.end(), project.spec.base.apt.begin(), project.spec.base.apt.end());
  return debian.solve(packages, kept.debs());
}

/// What is asked for by a virtual name is asked for by that.
std::vector<std::string> reasons_of(const index::DebFile& deb,
                                    const std::vector<std::string>& apt) {
  const std::vector<std::string> base = always_included();
  const auto is_of = [&](const std::vector<std::string>& names) {
    return std::ranges::find_first_of(deb.asked_as, names) != deb.asked_as.end();
  };
  std::vector<std::string> because = deb.needed_by;
  if (is_of(apt)) because.emplace_back(spec::kAskedByUser);
  if (deb.is_always || is_of(base)) because.emplace_back(spec::kPartOfBase);
  return because;
}

/// An older slipway wrote no reasons for Debian packages: they are added, and nothing else changes.
bool has_all_reasons(const spec::Lock& lock) {
  return std::ranges::none_of(lock.debs,
                              [](const spec::LockedDeb& deb) { return deb.because.empty(); });
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

void add_base_change(const spec::Lock& before, const spec::Lock& after,
                     std::vector<std::string>& changes) {
  const auto text = [](const spec::Lock& lock) {
    return lock.base ? fmt::format("{} ({})", lock.base->image, lock.base->digest.text())
                     : "Debian " + lock.debian;
  };
  if (before.base == after.base) return;
  changes.push_back(fmt::format("the base: {} -> {}", text(before), text(after)));
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

/// Fills the Debian packages and what they bring. Returns the exact version of Python.
Result<std::string> lock_debian(const ProjectFolder& project, const Kept& kept, Indexes& indexes,
                                const Tools& tools, spec::Lock& lock) {
  const auto debs = TRY_WHILE("solving the Debian packages",
                              solve_debian(project, kept, indexes, indexes.client(), tools));
  lock.python_version = project.spec.python.version;
  lock.glibc = TRY(version_of(debs, "libc6"));
  lock.debian = project.spec.base.debian;
  for (const index::DebFile& deb : debs) {
    lock.debs.push_back({deb.package, deb.version, deb.architecture, deb.index, deb.path,
                         deb.size_bytes, deb.sha256, reasons_of(deb, project.spec.base.apt)});
  }
  return version_of(debs, "python" + lock.python_version);
}

Result<spec::Lock> solve_all(const ProjectFolder& project, const Kept& kept, Indexes& indexes,
                             const Tools& tools) {
  // The indexes answer while Debian is being solved.
  for (const std::string& text : project.spec.python.packages) {
    const auto requirement = version::parse_requirement(text);
    if (!requirement.ok()) continue;
    for (const PackageHome& home : TRY(indexes.possible_homes(requirement->name))) {
      (void)home.index->prefetch_project(requirement->name);
    }
  }
  spec::Lock lock;
  lock.slipway_version = SLIPWAY_VERSION;
  lock.inputs = spec::inputs_digest(project.spec);
  lock.before = kept.before();
  lock.architecture = project.spec.target.architectures.front();
  EnvironmentRequest request{project, "", "", kept.wheels(), kept.before()};
  if (project.spec.base.image.empty()) {
    request.python_version = TRY(lock_debian(project, kept, indexes, tools, lock));
    request.base = "Debian " + lock.debian;
  } else {
    TRY_WHILE("looking at the base",
              pin_base(project.spec, {kept.base(), kept.debs()}, indexes, tools, lock));
    request.python_version = lock.base->python;
    request.base = fmt::format("the base `{}`", lock.base->image);
  }
  TRY(solve_environment(request, indexes, tools, lock));
  return lock;
}

}  // namespace

Result<LockOutcome> lock_project(const ProjectFolder& project, const LockRequest& request,
                                 const Tools& tools) {
  std::optional<spec::Lock> old = TRY(find_lock(project));
  const spec::Lock* before = old ? &*old : nullptr;
  const std::optional<UtcTime> date = cut_off(request, before);
  const bool is_complete =
      old && (request.older_form == LockRequest::OlderForm::Keep || has_all_reasons(*old));
  if (is_complete && request.upgrade == Upgrade::Nothing && old->before == date &&
      old->inputs == spec::inputs_digest(project.spec)) {
    return LockOutcome{std::move(*old), false, {}};
  }
  const Kept kept(before, request.upgrade, TRY(upgraded_names(request, before)), date);
  const auto freshness = request.upgrade == Upgrade::Nothing ? index::Freshness::UseCached
                                                             : index::Freshness::Revalidate;
  Indexes indexes = TRY(Indexes::open(tools, freshness, project.spec.python.indexes));
  LockOutcome outcome{TRY(solve_all(project, kept, indexes, tools)), false, {}};

  if (old) outcome.lock.image = kept_image(*old, outcome.lock, tools);
  const std::string text = spec::write_lock(outcome.lock);
  outcome.lock = TRY(spec::parse_lock(text, project.lock_file()));
  if (old) {
    if (old->before != date) outcome.changes.push_back(change_of_date(outcome.lock));
    add_base_change(*old, outcome.lock, outcome.changes);
    add_changes(old->wheels, outcome.lock.wheels, outcome.changes);
    add_changes(old->debs, outcome.lock.debs, outcome.changes);
  }
  outcome.changed = !old || spec::write_lock(*old) != text;
  if (outcome.changed) TRY(write_file(project.lock_file(), text));
  return outcome;
}

}  // namespace slipway::plan
