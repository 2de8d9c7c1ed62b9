#include <algorithm>

#include "gpu/chain_tables.h"
#include "gpu/environment_view.h"
#include "gpu/remedy.h"
#include "version/specifier.h"

namespace slipway::gpu {
namespace {

/// `nvidia-cudnn-cu12==9.1.0.70 ; platform_system == "Linux"`, `torch (==2.6.0)`.
struct Pin {
  std::string package, version;
};

/// Nothing for requirements of an extra, and those that are not exact.
std::optional<Pin> parse_pin(std::string_view text) {
  const std::size_t semicolon = text.find(';');
  if (semicolon != std::string_view::npos &&
      text.substr(semicolon).find("extra") != std::string_view::npos)
    return std::nullopt;
  text = text.substr(0, semicolon);
  const std::size_t equals = text.find("==");
  if (equals == std::string_view::npos || text.find(',') != std::string_view::npos)
    return std::nullopt;
  Pin pin;
  pin.package = package_of(text.substr(0, text.find_first_of(" =([")));
  for (const char c : text.substr(equals + 2)) {
    if (c == ')' || c == '*' || c == '=')
      return pin.version.empty() || c != ')' ? std::nullopt : std::optional(pin);
    if (c != ' ') pin.version += c;
  }
  return pin;
}

std::string_view public_of(std::string_view version) {
  return version.substr(0, version.find('+'));
}

/// What cannot be read fits.
bool fits(const std::string& constraint, std::string_view torch) {
  const auto versions = version::SpecifierSet::parse(constraint);
  const auto installed = version::Version::parse(torch);
  return !versions.ok() || !installed.ok() || versions->contains(installed->without_local());
}

class PairJudge {
 public:
  PairJudge(const EnvironmentView& view, const HostQuestion& question,
            const CompatibilityTables& tables, std::vector<Finding>& findings)
      : view_(view), question_(question), tables_(tables), findings_(findings) {}

  void run() {
    if (const PythonPackage* const torch = view_.find_package("torch")) {
      judge_torch(*torch);
      judge_its_cuda(*torch);
      for (const auto& [name, package] : view_.packages()) judge_companion(*torch, package);
    }
    for (const GpuModel& gpu : question_.gpus) judge_floors(gpu);
  }

 private:
  void judge_torch(const PythonPackage& torch) {
    if (torch.cuda.empty()) return;
    findings_.push_back(
        {"framework", "torch " + torch.version, "", "", Verdict::Ok,
         torch.cuda == "none" ? "built for the CPU" : fmt::format("built for CUDA {}", torch.cuda),
         ""});
  }

  /// What torch's own metadata pins, beside what is there.
  void judge_its_cuda(const PythonPackage& torch) {
    std::size_t right = 0;
    std::vector<std::string> told;
    for (const std::string& requirement : torch.requirements) {
      const auto pin = parse_pin(requirement);
      const PythonPackage* const found = pin ? view_.find_package(pin->package) : nullptr;
      if (found == nullptr) continue;  // what is missing and needed, the closure tells
      const std::string label = found->name + " " + found->version;
      if (compare_dotted(found->version, pin->version) == 0) {
        ++right;
        for (const std::string_view name : {"cuda-runtime", "cublas", "cudnn", "nccl", "triton"}) {
          if (label.find(name) != std::string::npos) told.push_back(label);
        }
        continue;
      }
      const bool is_other_major = major_of(found->version) != major_of(pin->version);
      findings_.push_back({"cuda", label, "", "", is_other_major ? Verdict::Broken : Verdict::Slow,
                           fmt::format("torch {} was built with {}: nobody tested this pair",
                                       torch.version, pin->version),
                           fmt::format("use {}=={}", pin->package, pin->version)});
    }
    if (right == 0) return;
    findings_.push_back({"cuda", fmt::format("{} packages", right), "", "", Verdict::Ok,
                         fmt::format("the versions that torch {} was built with: {}", torch.version,
                                     fmt::join(told, ", ")),
                         ""});
  }

  void judge_companion(const PythonPackage& torch, const PythonPackage& package) {
    std::string wanted;
    for (const std::string& requirement : package.requirements) {
      const auto pin = parse_pin(requirement);
      if (pin && pin->package == "torch") wanted = pin->version;
    }
    std::string remedy;
    for (const Companion& row : tables_.companions) {
      if (row.package == package.name && major_minor_of(row.torch) == major_minor_of(torch.version))
        remedy = fmt::format("use {}", pin_of(row));
    }
    const Companion* const own =
        find_companion(tables_, package.name, major_minor_of(package.version));
    if (own != nullptr && !own->torch_fits.empty()) {
      if (fits(own->torch_fits, torch.version)) return;
      wanted = own->torch;
    } else if (own != nullptr && wanted.empty() && own->version == public_of(package.version)) {
      wanted = own->torch;
    }
    if (wanted.empty() || compare_dotted(public_of(wanted), public_of(torch.version)) == 0) return;
    // Patches of one torch release keep their binary interface.
    const bool is_patch = major_minor_of(wanted) == major_minor_of(torch.version);
    findings_.push_back(
        {"framework", package.name + " " + package.version, "", "",
         is_patch ? Verdict::Slow : Verdict::Broken,
         fmt::format("made for torch {}, and this is torch {}", wanted, torch.version), remedy});
  }

  void judge_floors(const GpuModel& gpu) {
    if (!gpu.tensor_cores) return;
    std::map<std::string, const LibraryFloor*> rows;
    for (const LibraryFloor& row : tables_.library_floors) {
      if (row.capability > gpu.capability) continue;
      const LibraryFloor*& best = rows[row.library];
      if (best == nullptr || best->capability < row.capability) best = &row;
    }
    for (const auto& [library, row] : rows) {
      for (const LibraryFile* file : view_.find_libraries(library)) {
        const std::string version = EnvironmentView::version_of(*file);
        if (version.find('.') == std::string::npos || compare_dotted(version, row->version) >= 0)
          continue;
        findings_.push_back({"cuda", EnvironmentView::subject_of(*file), file->path, gpu.name,
                             Verdict::Slow,
                             fmt::format("no Tensor Core kernels for compute capability {}: they "
                                         "came with {}",
                                         row->capability.text(), row->version),
                             "use a torch that brings a newer one"});
      }
    }
  }

  const EnvironmentView& view_;
  const HostQuestion& question_;
  const CompatibilityTables& tables_;
  std::vector<Finding>& findings_;
};

}  // namespace

void judge_pairs(const EnvironmentView& view, const HostQuestion& question,
                 const CompatibilityTables& tables, std::vector<Finding>& findings) {
  PairJudge(view, question, tables, findings).run();
}

}  // namespace slipway::gpu
