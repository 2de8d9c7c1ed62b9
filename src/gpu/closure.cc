#include "gpu/closure.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "gpu/compatibility.h"
#include "gpu/driver_library.h"
#include "gpu/environment_view.h"
#include "gpu/loader.h"
#include "gpu/remedy.h"
#include "gpu/undefined_symbols.h"

namespace slipway::gpu {
namespace {

bool matches(const std::string& pattern, const std::string& text) {
  return fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// What every host has on which wheels run: the libraries that PEP 513 and PEP 600 let wheels
/// expect, without those of a desktop.
constexpr std::string_view kEverywhere[] = {
    "libc.so.6",       "libm.so.6",      "libdl.so.2",     "librt.so.1",
    "libpthread.so.0", "libutil.so.1",   "libnsl.so.1",    "libresolv.so.2",
    "libgcc_s.so.1",   "libstdc++.so.6", "libz.so.1",      "ld-linux-x86-64.so.2",
    "libanl.so.1",     "libexpat.so.1",  "libatomic.so.1", "ld-linux-aarch64.so.1",
    "libmvec.so.1"};

using Kind = std::pair<int, bool>;  ///< machine and class

Kind kind_of(const LibraryFile& file) { return {file.facts.machine, file.facts.is_64bit}; }

/// What most files of the image are for. The others (32-bit helpers, device code, test data of
/// other machines) cannot run here and are not looked at.
Kind main_kind(const ImageTree& tree) {
  std::map<Kind, std::size_t> counts;
  for (const auto& [path, file] : tree.files()) ++counts[kind_of(*file)];
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? Kind{} : most->first;
}

class Check {
 public:
  Check(const ClosureRequest& request, const CompatibilityTables& tables)
      : request_(request),
        tables_(tables),
        tree_(request.layers),
        loader_(tree_),
        undefined_(tree_) {
    for (const auto& [path, file] : tree_.files())
      wanted_.insert(file->facts.needed.begin(), file->facts.needed.end());
  }

  ClosureReport run() {
    ClosureReport report;
    const Kind kind = main_kind(tree_);
    std::vector<const LibraryFile*> later;
    for (const auto& [path, file] : tree_.files()) {
      if (kind_of(*file) != kind) continue;
      ++report.files;
      // First those that nothing else asks for: they are what programs start and Python opens. The
      // libraries behind them are then seen as they are really loaded, with what loads them.
      if (is_wanted(*file)) {
        later.push_back(file);
      } else {
        load(*file);
      }
    }
    for (const LibraryFile* file : later) {
      if (!seen_.contains(file)) load(*file);
    }
    for (const Unfound& entry : unfound_) report_one(entry, report);
    for (const WrongVersion& entry : wrong_) report_version(entry, report);
    for (const auto& [file, names] : symbols_) {
      if (!names.empty()) report_symbols(*file, names, report);
    }
    if (request_.system == System::Outside) report_glibc(report);
    return report;
  }

 private:
  static std::string_view name_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
  }

  /// Whether another file asks for it.
  bool is_wanted(const LibraryFile& file) const {
    return wanted_.contains(file.facts.soname) || wanted_.contains(name_of(file.path));
  }

  std::string owner_of(const std::string& path) const {
    return request_.find_owner ? request_.find_owner(path) : std::string();
  }

  void load(const LibraryFile& file) {
    LoadedProcess process;
    loader_.load(file, process);
    std::set<std::size_t> preloads;
    // What is missing may tell that the file belongs behind an import; that import may lead on.
    while (!process.unfound.empty() && find_preloads(file, process, preloads)) {
      process = preloaded(preloads);
      loader_.load(file, process);
    }
    for (const LoadedObject& object : process.objects) seen_.insert(object.file);
    for (WrongVersion& one : find_wrong_versions(process, provisions_))
      wrong_.insert(std::move(one));
    unfound_.insert(process.unfound.begin(), process.unfound.end());
    if (!undefined_.empty()) note_symbols(process);
  }

  /// Where `file` and those that it loads in `process` may find symbols that no file here defines.
  Elsewhere elsewhere_of(const LibraryFile& file, const LoadedProcess& process) const {
    Elsewhere elsewhere =
        request_.system == System::Outside ? Elsewhere::System : Elsewhere::Nowhere;
    std::vector<const LibraryFile*> reached = {&file};
    for (std::size_t next = 0; next < reached.size(); ++next) {
      if (!reached[next]->symbols.problem.empty()) return Elsewhere::Anywhere;
      for (const std::string& library : reached[next]->facts.needed) {
        const auto found = process.names.find(library);
        if (found != process.names.end()) {
          const auto* other = process.objects[static_cast<std::size_t>(found->second)].file;
          if (std::ranges::find(reached, other) == reached.end()) reached.push_back(other);
          continue;
        }
        const bool is_system = find_driver_library(library) != nullptr ||
                               (request_.system == System::Outside && is_everywhere(library));
        if (!is_system) return Elsewhere::Anywhere;
        elsewhere = Elsewhere::System;
      }
    }
    return elsewhere;
  }

  /// Each file as the first process sees it in which all its libraries are there.
  void note_symbols(const LoadedProcess& process) {
    for (const LoadedObject& object : process.objects) {
      const LibraryFile& file = *object.file;
      if (file.symbols.undefined.empty() || symbols_.contains(&file)) continue;
      const Elsewhere elsewhere = elsewhere_of(file, process);
      if (elsewhere != Elsewhere::Anywhere) symbols_[&file] = undefined_.find(file, elsewhere);
    }
  }

  /// Adds rows that explain something unfound; whether there were new ones.
  bool find_preloads(const LibraryFile& file, const LoadedProcess& process,
                     std::set<std::size_t>& preloads) const {
    const std::size_t before = preloads.size();
    const std::string package = package_of(owner_of(file.path));
    for (std::size_t i = 0; i < tables_.preloads.size(); ++i) {
      const Preload& row = tables_.preloads[i];
      const bool is_marked =
          contains(row.packages, package) ||
          std::any_of(process.unfound.begin(), process.unfound.end(),
                      [&](const Unfound& entry) { return contains(row.marks, entry.library); });
      if (!is_marked) continue;
      preloads.insert(i);
      for (std::size_t other = 0; other < tables_.preloads.size(); ++other) {
        if (tables_.preloads[other].package == row.after) preloads.insert(other);
      }
    }
    return preloads.size() > before;
  }

  /// A process after these imports. Rows stand in the order in which they may be imported.
  const LoadedProcess& preloaded(const std::set<std::size_t>& preloads) {
    const auto known = preloaded_.find(preloads);
    if (known != preloaded_.end()) return known->second;
    LoadedProcess process;
    for (const std::size_t i : preloads) {
      for (const std::string& pattern : tables_.preloads[i].loads) {
        for (const auto& [path, file] : tree_.files()) {
          if (matches("*/*-packages/" + pattern, path)) loader_.load(*file, process);
        }
      }
    }
    return preloaded_.emplace(preloads, std::move(process)).first->second;
  }

  const OptionalGap* find_gap(const Missing& missing) const {
    const std::string package = package_of(missing.owner);
    for (const OptionalGap& row : tables_.optional_gaps) {
      if (matches(row.package, package) && matches(row.library, missing.library) &&
          (row.path.empty() || matches(row.path, missing.path)))
        return &row;
    }
    return nullptr;
  }

  /// Another version of the same library: `libfoo.so.1` for `libfoo.so.2`.
  std::string find_beside(const std::string& library) const {
    const std::size_t end = library.find(".so");
    if (end == std::string::npos || library.size() <= end + 3) return "";
    const std::string stem = library.substr(0, end + 3);
    for (const auto& [path, file] : tree_.files()) {
      const std::string& soname = file->facts.soname;
      if (soname == stem || soname.starts_with(stem + ".")) return soname;
    }
    return "";
  }

  /// What ld.so finds on newer processors alone (ld.so(8), glibc-hwcaps):
  /// `glibc-hwcaps/x86-64-v3/x.so` beside where it would look for x.so. An older processor goes
  /// without.
  std::string find_in_hwcaps(const std::string& library) const {
    for (const auto& [path, file] : tree_.files()) {
      const bool is_it = file->facts.soname == library || name_of(path) == library;
      if (is_it && base_name(parent_path(parent_path(path))) == "glibc-hwcaps") return path;
    }
    return "";
  }

  /// A plug-in of a package, for which nothing asks, and which has the library beside it or
  /// elsewhere in its package, but not where the loader looks: whoever opens it has loaded that
  /// before, or nobody ever does. A program has nobody who could.
  bool is_left_to_its_package(const LibraryFile& file, const Missing& missing) const {
    if (!file.facts.interpreter.empty() || missing.owner.empty() || is_wanted(file)) return false;
    const std::string folder = parent_path(file.path);
    for (const auto& [path, other] : tree_.files()) {
      const bool is_it = other->facts.soname == missing.library || name_of(path) == missing.library;
      if (!is_it || kind_of(*other) != kind_of(file)) continue;
      if (parent_path(path) == folder) return true;
      if (owner_of(path) == missing.owner) return true;
    }
    return false;
  }

  /// The highest version of the same series: `GLIBC_2.36` for `GLIBC_2.38`.
  static std::string highest_like(const LibraryFile& provider, const std::string& version) {
    const std::string series = version.substr(0, version.find('_') + 1);
    std::string highest;
    for (const std::string& one : provider.facts.defined_versions) {
      if (!one.starts_with(series) || one.size() <= series.size()) continue;
      if (highest.empty() ||
          compare_dotted(one.substr(series.size()), highest.substr(series.size())) > 0)
        highest = one;
    }
    return highest;
  }

  void report_version(const WrongVersion& entry, ClosureReport& report) const {
    Missing missing;
    missing.path = entry.file->path;
    missing.library = entry.library;
    missing.version = entry.version;
    missing.owner = owner_of(missing.path);
    if (find_gap(missing) != nullptr) return;
    const std::string highest = highest_like(*entry.provider, entry.version);
    missing.because = highest.empty()
                          ? fmt::format("`{}` does not define it", entry.provider->path)
                          : fmt::format("`{}` goes up to {}", entry.provider->path, highest);
    if (entry.version.starts_with("GLIBC_"))
      missing.remedy = "use a release of it for an older glibc, or a newer base";
    report.missing.push_back(std::move(missing));
  }

  void report_symbols(const LibraryFile& file, const std::vector<std::string>& names,
                      ClosureReport& report) const {
    Missing missing;
    missing.path = file.path;
    missing.owner = owner_of(file.path);
    missing.symbols = names;
    if (const OptionalGap* gap = find_gap(missing)) {
      missing.reason = gap->reason;
      report.optional.push_back(std::move(missing));
      return;
    }
    add_remedy(tables_, request_.installed, "", missing);
    report.missing.push_back(std::move(missing));
  }

  /// What the host's C library has to have, where that is known.
  void report_glibc(ClosureReport& report) const {
    if (request_.glibc.empty()) return;
    for (const auto& [path, file] : tree_.files()) {
      for (const NeededVersion& one : file->facts.needed_versions) {
        if (one.weak || !one.version.starts_with("GLIBC_2.") ||
            compare_dotted(one.version.substr(6), request_.glibc) <= 0)
          continue;
        Missing missing;
        missing.path = path;
        missing.library = one.library;
        missing.version = one.version;
        missing.owner = owner_of(path);
        missing.because = fmt::format("the host has glibc {}", request_.glibc);
        missing.remedy = "use a release of it for an older glibc, or a host with a newer one";
        report.missing.push_back(std::move(missing));
      }
    }
  }

  bool is_everywhere(const std::string& library) const {
    return std::find(std::begin(kEverywhere), std::end(kEverywhere), library) !=
           std::end(kEverywhere);
  }

  const DebianLibrary* find_debian_library(const std::string& library) const {
    const auto row = std::ranges::find(tables_.debian_libraries, library, &DebianLibrary::library);
    return row == tables_.debian_libraries.end() ? nullptr : &*row;
  }

  /// Whether wheels bring it and no system does: torch's, CUDA's, what auditwheel has named, and
  /// what is here in another version.
  bool is_of_wheels(const std::string& library) const {
    const bool is_torchs = std::ranges::any_of(
        tables_.preloads, [&](const Preload& row) { return contains(row.marks, library); });
    const bool is_cudas = std::ranges::any_of(tables_.cuda_libraries, [&](const CudaLibrary& row) {
      return library.starts_with(row.name + ".so.");
    });
    const std::size_t dash = library.find('-');
    const bool is_renamed = dash != std::string::npos && library.size() - dash > 9 &&
                            library.find_first_not_of("0123456789abcdef", dash + 1) == dash + 9;
    return is_torchs || is_cudas || is_renamed || !find_beside(library).empty();
  }

  /// Whether the system outside has a library of no wheel; nothing where nobody knows.
  std::optional<bool> has_outside(const std::string& library) const {
    if (is_everywhere(library) || std::ranges::binary_search(request_.host_libraries, library))
      return true;
    const DebianLibrary* const row = find_debian_library(library);
    if (row != nullptr && request_.debian_packages)
      return std::ranges::binary_search(*request_.debian_packages, row->package);
    if (row == nullptr && is_of_wheels(library)) return false;
    return std::nullopt;
  }

  void report_one(const Unfound& entry, ClosureReport& report) const {
    if (find_driver_library(entry.library) != nullptr) return;
    const bool is_outside = request_.system == System::Outside;
    const std::optional<bool> outside = is_outside ? has_outside(entry.library) : false;
    if (outside == true) return;
    Missing missing;
    missing.path = entry.file->path;
    missing.library = entry.library;
    missing.owner = owner_of(missing.path);
    if (const OptionalGap* gap = find_gap(missing)) {
      missing.reason = gap->reason;
      report.optional.push_back(std::move(missing));
      return;
    }
    if (is_left_to_its_package(*entry.file, missing)) {
      missing.reason = "its own package brings that library, and has to load it first";
      report.optional.push_back(std::move(missing));
      return;
    }
    add_remedy(tables_, request_.installed, find_beside(entry.library), missing);
    if (const std::string path = find_in_hwcaps(entry.library); !path.empty())
      missing.because = fmt::format("`{}` is for processors of level {} alone", path,
                                    base_name(parent_path(path)));
    if (!outside) {
      missing.because = "the host must have it";
      missing.remedy = "";
      report.outside.push_back(std::move(missing));
      return;
    }
    report.missing.push_back(std::move(missing));
  }

  const ClosureRequest& request_;
  const CompatibilityTables& tables_;
  ImageTree tree_;
  Loader loader_;
  std::set<std::string_view> wanted_;  ///< every name that a file asks for
  std::set<const LibraryFile*> seen_;
  std::set<Unfound> unfound_;
  std::set<WrongVersion> wrong_;
  std::set<Provision> provisions_;
  UndefinedSymbols undefined_;
  std::map<const LibraryFile*, std::vector<std::string>> symbols_;  ///< looked at -> undefined
  std::map<std::set<std::size_t>, LoadedProcess> preloaded_;
};

bool by_path(const Missing& a, const Missing& b) {
  return std::tie(a.path, a.library, a.version) < std::tie(b.path, b.library, b.version);
}

/// Moves what files of the base image miss to the known gaps.
void forgive_foreign(const ClosureRequest& request, ClosureReport& report) {
  std::set<std::string_view> foreign;
  for (const LayerLibraries& layer : request.layers.first(request.foreign_layers)) {
    for (const LibraryFile& file : layer.elves) foreign.insert(file.path);
  }
  const auto is_ours = [&](const Missing& missing) { return !foreign.contains(missing.path); };
  const auto theirs = std::stable_partition(report.missing.begin(), report.missing.end(), is_ours);
  for (auto missing = theirs; missing != report.missing.end(); ++missing) {
    missing->reason = "the base image is made so";
    if (missing->owner.empty()) missing->owner = "the base image";
    report.optional.push_back(std::move(*missing));
  }
  report.missing.erase(theirs, report.missing.end());
}

}  // namespace

ClosureReport check_closure(const ClosureRequest& request) {
  ClosureReport report = Check(request, compatibility_tables()).run();
  forgive_foreign(request, report);
  std::sort(report.missing.begin(), report.missing.end(), by_path);
  std::sort(report.outside.begin(), report.outside.end(), by_path);
  std::sort(report.optional.begin(), report.optional.end(), by_path);
  return report;
}

}  // namespace slipway::gpu
