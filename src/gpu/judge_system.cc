#include <map>
#include <set>

#include "base/file.h"
#include "gpu/environment_view.h"
#include "gpu/remedy.h"
#include "gpu/undefined_symbols.h"

namespace slipway::gpu {
namespace {

/// The highest `GLIBC_2.x` that a file of a package needs, and the package.
struct Floor {
  std::string version, owner;
};

void raise(Floor& floor, const LibraryFile& file, std::string_view prefix) {
  for (const NeededVersion& one : file.facts.needed_versions) {
    if (one.weak || !one.version.starts_with(prefix)) continue;
    const std::string version = one.version.substr(prefix.size());
    if (version.empty() || version[0] < '0' || version[0] > '9') continue;
    if (compare_dotted(version, floor.version) > 0) floor = {version, file.owner};
  }
}

std::string text_of(const char* name, const Floor& floor) {
  return floor.version.empty() ? "" : fmt::format("; {} {} ({})", name, floor.version, floor.owner);
}

/// A directory of /opt/venv or the like has no system of its own: what it needs is told instead.
std::string floors_of(const EnvironmentView& view) {
  Floor glibc, glibcxx, cxxabi;
  for (const auto& [path, file] : view.tree().files()) {
    if (file->owner.empty()) continue;
    raise(glibc, *file, "GLIBC_");
    raise(glibcxx, *file, "GLIBCXX_");
    raise(cxxabi, *file, "CXXABI_");
  }
  return text_of("needs glibc", glibc) + text_of("GLIBCXX", glibcxx) + text_of("CXXABI", cxxabi);
}

Finding finding_of(const Missing& missing, Verdict verdict) {
  Finding finding{"system",      missing.owner.empty() ? base_name(missing.path) : missing.owner,
                  missing.path,  "",
                  verdict,       need_of(missing),
                  missing.remedy};
  if (!missing.because.empty()) finding.reason += ", and " + missing.because;
  return finding;
}

/// Known gaps, one finding for each package and reason.
void add_gaps(const std::vector<Missing>& optional, std::vector<Finding>& findings) {
  struct Gap {
    const Missing* first;
    std::set<std::string> libraries;
  };
  std::map<std::pair<std::string, std::string>, Gap> gaps;
  for (const Missing& missing : optional) {
    Gap& gap = gaps.try_emplace({missing.owner, missing.reason}, Gap{&missing, {}}).first->second;
    gap.libraries.insert(missing.symbols.empty() ? missing.library
                                                 : readable_symbol(missing.symbols.front()));
  }
  for (const auto& [key, gap] : gaps) {
    findings.push_back({"system", key.first, gap.first->path, "", Verdict::Ok,
                        fmt::format("goes without {}: {}", name_some(gap.libraries), key.second),
                        ""});
  }
}

}  // namespace

void judge_system(const Environment& environment, const EnvironmentView& view,
                  const HostQuestion& question, std::vector<Finding>& findings) {
  ClosureRequest request;
  request.layers = environment.layers;
  request.installed = view.installed();
  request.system = environment.system;
  request.glibc = question.glibc;
  request.debian_packages = environment.debian_packages;
  request.host_libraries = environment.host_libraries;
  request.foreign_layers = environment.foreign_layers;
  request.find_owner = [&](const std::string& path) {
    const auto file = view.tree().files().find(path);
    return file == view.tree().files().end() ? std::string() : file->second->owner;
  };
  const ClosureReport report = check_closure(request);
  for (const Missing& missing : report.missing)
    findings.push_back(finding_of(missing, Verdict::Broken));
  for (const Missing& missing : report.outside)
    findings.push_back(finding_of(missing, Verdict::Unknown));
  if (report.missing.empty() && report.files != 0) {
    findings.push_back({"system", fmt::format("{} ELF files", report.files), "", "", Verdict::Ok,
                        fmt::format("find their libraries and symbols{}", floors_of(view)), ""});
  }
  add_gaps(report.optional, findings);
}

}  // namespace slipway::gpu
