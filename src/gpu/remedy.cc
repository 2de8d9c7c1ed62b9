#include "gpu/remedy.h"

#include <algorithm>
#include <set>

#include "gpu/undefined_symbols.h"

namespace slipway::gpu {
namespace {

constexpr std::size_t kMostNamed = 4;     ///< libraries in one line
constexpr std::size_t kMostReasons = 12;  ///< lines in one refusal
constexpr std::string_view kTorchNamespaces[] = {"c10::", "at::", "torch::", "caffe2::"};

/// `2.6.0` of `2.6.0+cu126`.
std::string_view public_version(std::string_view version) {
  return version.substr(0, version.find('+'));
}

/// Whether `version` is `series` or begins with it: 2.6.0 is of 2.6, 2.61 is not.
bool is_of_series(std::string_view version, std::string_view series) {
  if (!version.starts_with(series)) return false;
  return version.size() == series.size() || version[series.size()] == '.';
}

std::string_view major_minor(std::string_view version) {
  const std::size_t first = version.find('.');
  if (first == std::string_view::npos) return version;
  return version.substr(0, version.find('.', first + 1));
}

/// `12.6` of `2.6.0+cu126`; of a plain version what the default index serves; empty if unknown.
std::string cuda_of_torch(const CompatibilityTables& tables, std::string_view version) {
  const std::size_t local = version.find("+cu");
  if (local != std::string_view::npos && version.size() > local + 4) {
    const std::string_view digits = version.substr(local + 3);
    return fmt::format("{}.{}", digits.substr(0, digits.size() - 1), digits.back());
  }
  for (const TorchBuild& build : tables.torch_builds) {
    if (is_of_series(public_version(version), build.torch)) return build.cuda;
  }
  return "";
}

/// `CUDA 13` of `libcudart.so.13`; empty for libraries that do not say.
std::string cuda_of_library(const CompatibilityTables& tables, std::string_view library) {
  for (const CudaLibrary& known : tables.cuda_libraries) {
    const std::string stem = known.name + ".so.";
    if (!library.starts_with(stem)) continue;
    const std::string_view version = library.substr(stem.size());
    return fmt::format("CUDA {}", version.substr(0, version.find_first_of(".,")));
  }
  return "";
}

/// The companion for exactly this torch, else for another patch of the same torch.
const Companion* find_companion(const CompatibilityTables& tables, std::string_view package,
                                std::string_view torch) {
  const Companion* of_series = nullptr;
  for (const Companion& row : tables.companions) {
    if (row.package != package) continue;
    if (row.torch == torch) return &row;
    if (is_of_series(row.torch, major_minor(torch))) of_series = &row;
  }
  return of_series;
}

bool is_companion(const CompatibilityTables& tables, std::string_view package) {
  const auto& rows = tables.companions;
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Companion& row) { return row.package == package; });
}

void tell_about_torch(const CompatibilityTables& tables,
                      const std::map<std::string, std::string>& installed,
                      const std::string& package, Missing& missing) {
  const auto torch = installed.find("torch");
  if (torch == installed.end()) {
    missing.because = "this image has no torch";
    missing.remedy = "add torch to python.packages";
    return;
  }
  const std::string cuda = cuda_of_torch(tables, torch->second);
  missing.because = fmt::format("this image has torch {}", torch->second);
  if (!cuda.empty()) missing.because += fmt::format(" with CUDA {}", cuda);
  if (!missing.symbols.empty())
    missing.because =
        fmt::format("neither torch {} nor anything else here defines it", torch->second);
  const Companion* const companion = find_companion(tables, package, public_version(torch->second));
  const auto own = installed.find(package);
  const bool is_that = companion != nullptr && own != installed.end() &&
                       is_of_series(public_version(own->second), companion->version);
  if (companion != nullptr && !is_that) missing.remedy = fmt::format("use {}", pin_of(*companion));
  if (companion == nullptr && !missing.symbols.empty())
    missing.remedy = fmt::format("use a build of {} for torch {}", package,
                                 major_minor(public_version(torch->second)));
}

/// Whether `import torch` loads that library.
bool is_of_torch(const CompatibilityTables& tables, const std::string& library) {
  return std::ranges::any_of(tables.preloads, [&](const Preload& row) {
    return row.package == "torch" && std::ranges::find(row.marks, library) != row.marks.end();
  });
}

/// Whether they are of libtorch, libc10 and their like.
bool uses_torch(const std::vector<std::string>& symbols) {
  return std::ranges::any_of(symbols, [](const std::string& symbol) {
    const std::string text = readable_symbol(symbol);
    return std::ranges::any_of(kTorchNamespaces, [&](std::string_view name) {
      return text.find(name) != std::string::npos;
    });
  });
}

std::string lower_case_dashes(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool is_separator = c == '-' || c == '_' || c == '.';
    if (is_separator && out.ends_with('-')) continue;
    out += is_separator ? '-' : static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return out;
}

void add_symbols(const std::vector<std::string>& more, std::vector<std::string>& to) {
  to.insert(to.end(), more.begin(), more.end());
  std::ranges::sort(to);
  to.erase(std::unique(to.begin(), to.end()), to.end());
}

}  // namespace

std::string name_some(const std::set<std::string>& libraries) {
  std::string text;
  std::size_t named = 0;
  for (const std::string& library : libraries) {
    if (named == kMostNamed && libraries.size() > kMostNamed)
      return fmt::format("{} and {} more", text, libraries.size() - kMostNamed);
    text += (named++ == 0 ? "" : ", ") + library;
  }
  return text;
}

std::string pin_of(const Companion& row) {
  const bool is_series = std::ranges::count(row.version, '.') < 2;
  return fmt::format("{}=={}{}", row.package, row.version, is_series ? ".*" : "");
}

std::string package_of(std::string_view owner) {
  return lower_case_dashes(owner.substr(0, owner.find(' ')));
}

void add_remedy(const CompatibilityTables& tables,
                const std::map<std::string, std::string>& installed, std::string_view beside,
                Missing& missing) {
  const std::string package = package_of(missing.owner);
  const std::string cuda = cuda_of_library(tables, missing.library);
  if (is_companion(tables, package) || (!cuda.empty() && installed.contains("torch")) ||
      is_of_torch(tables, missing.library) || uses_torch(missing.symbols)) {
    tell_about_torch(tables, installed, package, missing);
    return;
  }
  if (!missing.symbols.empty()) {
    missing.because = "nothing here defines it";
    return;
  }
  for (const DebianLibrary& row : tables.debian_libraries) {
    if (row.library != missing.library) continue;
    missing.because = "nothing in this image brings it";
    missing.remedy = fmt::format("add `{}` to base.apt", row.package);
    return;
  }
  missing.because = beside.empty() ? "nothing in this image brings it"
                                   : fmt::format("this image has {} instead", beside);
}

std::string need_of(const Missing& missing) {
  if (!missing.symbols.empty()) {
    const std::size_t more = missing.symbols.size() - 1;
    return fmt::format("needs the symbol `{}`{}", readable_symbol(missing.symbols.front()),
                       more == 0 ? "" : fmt::format(" (and {} more)", more));
  }
  return missing.version.empty() ? fmt::format("needs {}", missing.library)
                                 : fmt::format("needs {} of {}", missing.version, missing.library);
}

std::string explain(const Missing& missing) {
  const std::string cuda = cuda_of_library(compatibility_tables(), missing.library);
  std::string text = missing.owner.empty() ? fmt::format("`{}`", missing.path) : missing.owner;
  text += " " + need_of(missing);
  if (!cuda.empty()) text += fmt::format(" ({})", cuda);
  if (!missing.because.empty()) text += fmt::format(", and {}", missing.because);
  if (!missing.remedy.empty()) text += fmt::format(": {}", missing.remedy);
  return text;
}

Error closure_error(std::span<const Missing> missing) {
  SLIPWAY_CHECK(!missing.empty());
  // One reason for each package and remedy, in the order in which they come.
  std::vector<std::pair<Missing, std::set<std::string>>> groups;
  for (const Missing& entry : missing) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      const Missing& first = group.first;
      return first.owner == entry.owner && first.remedy == entry.remedy &&
             first.because == entry.because && !entry.owner.empty() &&
             first.symbols.empty() == entry.symbols.empty();
    });
    if (same != groups.end()) {
      same->second.insert(entry.library);
      add_symbols(entry.symbols, same->first.symbols);
    } else {
      groups.push_back({entry, {entry.library}});
    }
  }
  const bool has_libraries =
      std::ranges::any_of(missing, [](const Missing& entry) { return entry.symbols.empty(); });
  Error error = make_error(ErrorKind::Unsolvable, "the image would not work: {} are missing",
                           has_libraries ? "libraries" : "symbols");
  std::set<std::string> remedies;
  for (auto& [first, libraries] : groups) {
    if (error.because.size() == kMostReasons) {
      error.because.push_back(fmt::format("and {} more", groups.size() - kMostReasons));
      break;
    }
    first.library = name_some(libraries);
    error.because.push_back(explain(first));
    if (!first.remedy.empty() && remedies.insert(first.remedy).second)
      error.hints.push_back(first.remedy);
  }
  return error;
}

}  // namespace slipway::gpu
