#include "plan/base_packages.h"

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "index/debian_installed.h"
#include "index/debian_text.h"
#include "plan/base_apt.h"

namespace slipway::plan {
namespace {

/// The version that will be there: of `debs`, else the installed one; empty: neither.
class Outcome {
 public:
  Outcome(const std::vector<index::DebFile>& debs, const std::vector<std::string>& status)
      : debs_(debs) {
    for (const std::string& text : status) {
      auto some = index::parse_installed_debs(text);
      std::ranges::move(some, std::back_inserter(installed_));
    }
  }

  std::string added(std::string_view package) const {
    const auto deb = std::ranges::find(debs_, package, &index::DebFile::package);
    return deb == debs_.end() ? std::string() : index::upstream_number(deb->version);
  }
  std::string version(std::string_view package) const {
    if (std::string version = added(package); !version.empty()) return version;
    const auto deb = std::ranges::find(installed_, package, &index::InstalledDeb::name);
    return deb == installed_.end() ? std::string() : index::upstream_number(deb->version);
  }

 private:
  const std::vector<index::DebFile>& debs_;
  std::vector<index::InstalledDeb> installed_;
};

std::string two_numbers(const std::string& version) {
  return version.substr(0, version.find('.', version.find('.') + 1));
}

int minor_of(const std::string& version) {
  int minor = 0;
  const std::size_t dot = std::min(version.find('.') + 1, version.size());
  std::from_chars(version.data() + dot, version.data() + version.size(), minor);
  return minor;
}

Result<void> check_dpkg(const BaseSystem& system, const BaseFacts& facts, const std::string& name) {
  if (system.has_dpkg) return {};
  return make_error(ErrorKind::Unsupported,
                    "`base.apt` cannot be installed: the base `{}` has no dpkg", name)
      .reason(facts.os.empty() ? "it does not say what it is (/etc/os-release)"
                               : fmt::format("it is {}", facts.os))
      .hint("take an image of Debian, Ubuntu or the like, or leave `base.apt` out");
}

/// The one that the error's steps speak of.
std::string failed_archive(const Error& error, const std::vector<index::DebianSource>& sources) {
  const std::string steps = fmt::format("{}", fmt::join(error.steps, "\n"));
  for (const index::DebianSource& source : sources) {
    if (steps.find(fmt::format("index `{}`", source.name)) != std::string::npos) return source.name;
  }
  return sources.front().name;
}

Result<std::vector<index::DebFile>> solve_onto(const BaseSystem& system, const TarTree& tree,
                                               const spec::Project& project,
                                               const std::vector<BaseWish>& wishes,
                                               const std::vector<index::DebPreference>& kept,
                                               const Indexes& indexes, http::Client& client,
                                               const Tools& tools) {
  const std::string& name = project.base.image;
  const std::string architecture =
      TRY(index::debian_architecture(project.target.architectures.front()));
  auto archives = TRY(find_base_archives(tree, name, indexes));
  const auto sources = TRY(with_base_keys(std::move(archives), tree, name, tools));
  Result<index::DebianIndex> fetched =
      index::DebianIndex::fetch(sources, system.is_debian() ? system.codename : "", architecture,
                                client, tools.cache_folder, tools.reporter, tools.cancel);
  if (!fetched.ok()) {
    Error error = std::move(fetched).error();
    if (system.is_debian() || error.kind == ErrorKind::Cancelled) return error;
    error.because.push_back(
        fmt::format("the archives and their keys are those of /etc/apt in the base `{}`", name));
    error.hints.push_back(fmt::format(
        "`[index.{}]` with a url in config.toml names a mirror; the keys stay the base's",
        failed_archive(error, sources)));
    return error;
  }
  for (const std::string& text : system.status) TRY(fetched->add_installed(text));
  std::vector<std::string> packages;
  for (const BaseWish& wish : wishes) packages.push_back(wish.package);
  Result<std::vector<index::DebFile>> solved = fetched->solve(packages, kept);
  if (solved.ok()) return solved;
  Error error = std::move(solved).error();
  const bool is_python = std::ranges::any_of(wishes, [&](const BaseWish& wish) {
    return wish.because == spec::kNoPython &&
           error.message.find(fmt::format("`{}`", wish.package)) != std::string::npos;
  });
  if (is_python && !project.python.version.empty()) {
    error.because.push_back(fmt::format("the base `{}` has no Python, and slipway.toml says {}",
                                        name, project.python.version));
    error.hints.push_back("leave `version` under [python] out, for the one of the distribution");
  }
  if (error.kind == ErrorKind::Unsolvable) {
    error.hints.push_back(fmt::format(
        "take other packages, or another base: nothing of `{}` is removed for them", name));
  }
  return error;
}

/// Each has at least one: an upgrade without a reason of its own goes with what is asked for.
std::vector<std::string> reasons_of(const index::DebFile& deb,
                                    const std::vector<BaseWish>& wishes) {
  std::vector<std::string> because = deb.needed_by;
  for (const BaseWish& wish : wishes) {
    if (std::ranges::find(deb.asked_as, wish.package) != deb.asked_as.end())
      because.push_back(wish.because);
  }
  if (because.empty()) because.push_back(wishes.front().because);
  return because;
}

}  // namespace

std::vector<BaseWish> base_wishes(const std::vector<std::string>& apt, bool needs_python,
                                  const std::string& python,
                                  const std::vector<std::string>& installed) {
  std::vector<BaseWish> wishes;
  for (const std::string& package : apt)
    wishes.push_back({package, std::string(spec::kAskedByUser)});
  if (!needs_python) return wishes;
  wishes.push_back({python.empty() ? "python3" : "python" + python, std::string(spec::kNoPython)});
  // docs/decisions/0004-debian-base.md has the reasons.
  for (const char* package : {"ca-certificates", "libgcc-s1", "libstdc++6", "zlib1g"}) {
    if (std::ranges::find(installed, package) == installed.end())
      wishes.push_back({package, std::string(spec::kForWheels)});
  }
  return wishes;
}

Result<BaseFacts> facts_with_packages(BaseFacts facts, const std::vector<index::DebFile>& debs,
                                      const std::vector<std::string>& status,
                                      const std::string& python, const std::string& name) {
  const Outcome outcome(debs, status);
  if (const std::string glibc = outcome.added("libc6"); !glibc.empty()) facts.glibc = glibc;
  if (!outcome.version("bash").empty()) facts.shell = "/bin/bash";
  if (facts.interpreter.empty()) {
    const std::string minor = python.empty() ? two_numbers(outcome.version("python3")) : python;
    facts.interpreter = "/usr/bin/python" + minor;
  } else if (parent_path(facts.interpreter) != "/usr/bin") {
    return facts;  // not dpkg's
  }
  const std::string package = base_name(facts.interpreter);
  const bool is_new = facts.python.empty();
  for (const std::string& one : {package + "-minimal", package}) {
    if (outcome.added(one).empty()) continue;
    facts.python = outcome.added(one);
    break;
  }
  if (is_new && facts.python.empty() && !outcome.version(package).empty()) {
    return make_error(ErrorKind::Unsupported, "the base `{}` has no Python 3 on its PATH", name)
        .reason(fmt::format("it is {}, with glibc {}", facts.os, facts.glibc))
        .reason(
            fmt::format("dpkg has `{}` for installed, and its interpreter is not there", package))
        .hint("take an image from which nothing was removed behind dpkg's back");
  }
  if (!facts.python.empty() && minor_of(facts.python) >= kOldestPython) return facts;
  return make_error(ErrorKind::Unsupported,
                    "the base `{}` has no Python, and its distribution's {}", name,
                    facts.python.empty() ? "does not tell its version"
                                         : fmt::format("is {}", facts.python))
      .hint(fmt::format("take an image of a newer release: with Python 3.{} or newer",
                        kOldestPython));
}

Result<void> add_base_packages(const spec::Project& project, const TarTree& tree,
                               const std::vector<index::DebPreference>& kept,
                               const Indexes& indexes, http::Client& client, const Tools& tools,
                               BaseFacts& facts, spec::Lock& lock) {
  const BaseSystem system = find_base_system(tree);
  TRY(check_dpkg(system, facts, project.base.image));
  std::vector<std::string> installed;
  for (const std::string& text : system.status) {
    for (index::InstalledDeb& deb : index::parse_installed_debs(text))
      installed.push_back(std::move(deb.name));
  }
  const std::vector<BaseWish> wishes =
      base_wishes(project.base.apt, facts.interpreter.empty(), project.python.version, installed);
  const auto debs =
      TRY_WHILE("solving the Debian packages",
                solve_onto(system, tree, project, wishes, kept, indexes, client, tools));
  facts = TRY(facts_with_packages(std::move(facts), debs, system.status, project.python.version,
                                  project.base.image));
  for (const index::DebFile& deb : debs) {
    lock.debs.push_back({deb.package, deb.version, deb.architecture, deb.index, deb.path,
                         deb.size_bytes, deb.sha256, reasons_of(deb, wishes)});
  }
  return {};
}

}  // namespace slipway::plan
