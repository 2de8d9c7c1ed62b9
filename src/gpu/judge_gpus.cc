#include <fnmatch.h>

#include <algorithm>

#include "base/file.h"
#include "gpu/environment_view.h"
#include "gpu/forward_compatibility.h"
#include "gpu/remedy.h"

namespace slipway::gpu {
namespace {

constexpr std::uint64_t kLeastCode = 16 << 10;

enum class Fit { Native, SameMajor, Jit, None };  ///< best first

/// How a library's code fits one GPU.
struct Match {
  Fit fit = Fit::None;
  CodeTarget code;
  std::string ptx_version;
  const LibraryFile* file = nullptr;
};

Match match(const LibraryFile& file, ComputeCapability device) {
  Match best{Fit::None, {}, "", &file};
  for (const CodeGroup& group : file.code.groups) {
    Fit fit = Fit::None;
    if (group.kind == CodeKind::Sass && runs_sass(group.target, device))
      fit = group.target.capability == device ? Fit::Native : Fit::SameMajor;
    if (group.kind == CodeKind::Ptx && runs_ptx(group.target, device)) fit = Fit::Jit;
    // Of equals the newest code: what the driver picks.
    const bool better = fit < best.fit || (fit == best.fit && fit != Fit::None &&
                                           group.target.capability > best.code.capability);
    if (better) best = {fit, group.target, group.ptx_version, &file};
  }
  return best;
}

std::string list_code(const LibraryFile& file) {
  std::vector<std::string> names;
  for (const CodeGroup& group : file.code.groups) {
    std::string name = group.target.text();
    if (group.kind == CodeKind::Ptx) name += " PTX";
    names.push_back(std::move(name));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

/// `cu128` of `12.8`.
std::string index_of(std::string_view cuda) {
  std::string text = "cu";
  for (const char c : cuda) {
    if (c != '.') text += c;
  }
  return text;
}

bool covers(const TorchArch& row, ComputeCapability device) {
  return std::any_of(row.sass.begin(), row.sass.end(), [&](ComputeCapability one) {
    return runs_sass({one, CodeVariant::Portable}, device);
  });
}

/// The nearest build of torch with code for the GPU: the same release for another CUDA, else the
/// oldest newer one, else the newest older one.
std::string remedy_for_torch(const CompatibilityTables& tables, std::string_view version,
                             const GpuModel& gpu) {
  const std::string_view own = major_minor_of(version.substr(0, version.find('+')));
  const TorchArch* newer = nullptr;
  const TorchArch* older = nullptr;
  for (const TorchArch& row : tables.torch_archs) {
    if (!covers(row, gpu.capability)) continue;
    const int order = compare_dotted(row.torch, own);
    if (order == 0)
      return fmt::format("use torch {} built for CUDA {} ({})", own, row.cuda, index_of(row.cuda));
    if (order > 0 && (newer == nullptr || compare_dotted(row.torch, newer->torch) < 0))
      newer = &row;
    if (order < 0 && (older == nullptr || compare_dotted(row.torch, older->torch) >= 0))
      older = &row;
  }
  if (newer != nullptr)
    return fmt::format("use torch>={} built for CUDA {} ({})", newer->torch, newer->cuda,
                       index_of(newer->cuda));
  if (older != nullptr)
    return fmt::format("use torch {} built for CUDA {} ({})", older->torch, older->cuda,
                       index_of(older->cuda));
  return fmt::format("drop {} from the target: no published torch has code for it", gpu.name);
}

class GpuJudge {
 public:
  GpuJudge(const EnvironmentView& view, const HostQuestion& question,
           const CompatibilityTables& tables, std::vector<Finding>& findings)
      : view_(view), question_(question), tables_(tables), findings_(findings) {}

  void run() {
    std::map<std::string, std::vector<const LibraryFile*>> by_subject;
    for (const auto& [path, file] : view_.tree().files()) {
      if (!file->code.problem.empty()) {
        findings_.push_back({"gpu", EnvironmentView::subject_of(*file), path, "", Verdict::Unknown,
                             "its GPU code cannot be read: " + file->code.problem, ""});
      }
      if (!file->code.groups.empty())
        by_subject[EnvironmentView::subject_of(*file)].push_back(file);
    }
    for (const GpuModel& gpu : question_.gpus) {
      judge_cpu_torch(gpu);
      for (const auto& [subject, files] : by_subject) judge_subject(subject, files, gpu);
    }
  }

 private:
  /// One of several files of which a package opens the one that fits: see optional_gap.
  bool is_alternative(const LibraryFile& file) const {
    return std::any_of(
        tables_.optional_gaps.begin(), tables_.optional_gaps.end(), [&](const OptionalGap& row) {
          return !row.path.empty() && fnmatch(row.path.c_str(), file.path.c_str(), 0) == 0;
        });
  }

  static std::uint64_t code_bytes(const LibraryFile& file) {
    std::uint64_t bytes = 0;
    for (const CodeGroup& group : file.code.groups) bytes += group.bytes;
    return bytes;
  }

  /// The worst of a package's libraries decides; of alternatives the best. For a package of
  /// NVIDIA's the library with the most code speaks: small ones beside it (libcufftw) hold none
  /// that is used.
  void judge_subject(const std::string& subject, const std::vector<const LibraryFile*>& files,
                     const GpuModel& gpu) {
    const auto less_code = [](const LibraryFile* a, const LibraryFile* b) {
      return code_bytes(*a) < code_bytes(*b);
    };
    const LibraryFile& largest = **std::max_element(files.begin(), files.end(), less_code);
    if (is_of_nvidia(largest)) {
      if (code_bytes(largest) >= kLeastCode) tell(subject, match(largest, gpu.capability), gpu);
      return;
    }
    std::optional<Match> worst, alternative;
    for (const LibraryFile* file : files) {
      const Match one = match(*file, gpu.capability);
      std::optional<Match>& into = is_alternative(*file) ? alternative : worst;
      const bool takes = !into || (&into == &worst ? one.fit > into->fit : one.fit < into->fit);
      if (takes) into = one;
    }
    if (!worst || (alternative && alternative->fit > worst->fit)) worst = alternative;
    if (worst) tell(subject, *worst, gpu);
  }

  static bool is_of_nvidia(const LibraryFile& file) {
    if (file.owner.starts_with("nvidia-")) return true;
    const std::string name = base_name(file.path);
    return file.owner.empty() && (name.starts_with("libcu") || name.starts_with("libnv") ||
                                  name.starts_with("libnccl") || name.starts_with("libnpp"));
  }

  void tell(const std::string& subject, const Match& found, const GpuModel& gpu) {
    const std::string device = gpu.capability.text();
    Finding finding{"gpu", subject, found.file->path, gpu.name, Verdict::Ok, "", ""};
    const bool decides = !is_of_nvidia(*found.file);
    if (found.fit == Fit::Native) {
      finding.reason = fmt::format("native: it has {}", found.code.text());
    } else if (found.fit == Fit::SameMajor) {
      finding.reason = fmt::format("same major version: {} runs on {}", found.code.text(), device);
    } else if (found.fit == Fit::Jit) {
      tell_jit(gpu, found, decides, finding);
    } else {
      finding.verdict = decides ? Verdict::Broken : Verdict::Slow;
      finding.reason = fmt::format("no kernel for compute capability {}: it has {}", device,
                                   list_code(*found.file));
      if (!decides) finding.reason += "; what calls it fails there, or takes a slower way";
      if (subject.starts_with("torch ")) {
        finding.remedy = remedy_for_torch(tables_, subject.substr(6), gpu);
      } else if (decides) {
        finding.remedy = fmt::format("use a build of {} for {}",
                                     subject.substr(0, subject.find(' ')), gpu.capability.sm());
      }
    }
    findings_.push_back(std::move(finding));
  }

  void tell_jit(const GpuModel& gpu, const Match& found, bool decides, Finding& finding) const {
    finding.verdict = Verdict::Slow;
    finding.reason = fmt::format("compiled at first use, from PTX {} for {}", found.ptx_version,
                                 found.code.text());
    const CudaRelease* const release = find_ptx_driver(tables_, found.ptx_version);
    if (release == nullptr || !question_.driver || reaches(*question_.driver, release->driver))
      return;
    // The libcuda of cuda-compat brings its own compiler of PTX.
    const auto* const compat = find_forward_compatibility(tables_, question_.cuda_compat);
    if (compat != nullptr && stands_in(*compat, *question_.driver, gpu) &&
        reaches(compat->driver, release->driver))
      return;
    finding.verdict = decides ? Verdict::Broken : Verdict::Slow;
    finding.reason = fmt::format("only PTX {}, which driver {} cannot compile (CUDA {})",
                                 found.ptx_version, question_.driver->text(), release->cuda);
    finding.remedy = fmt::format("raise the driver to >={}", release->driver.text());
  }

  void judge_cpu_torch(const GpuModel& gpu) {
    const PythonPackage* const torch = view_.find_package("torch");
    if (torch == nullptr || !view_.find_libraries("libtorch_cuda").empty()) return;
    if (view_.find_libraries("libtorch_cpu").empty()) return;
    findings_.push_back({"framework", "torch " + torch->version, "", gpu.name, Verdict::Slow,
                         "a build for the CPU alone: it leaves the GPU idle",
                         "use a CUDA build of torch"});
  }

  const EnvironmentView& view_;
  const HostQuestion& question_;
  const CompatibilityTables& tables_;
  std::vector<Finding>& findings_;
};

}  // namespace

void judge_gpus(const EnvironmentView& view, const HostQuestion& question,
                const CompatibilityTables& tables, std::vector<Finding>& findings) {
  GpuJudge(view, question, tables, findings).run();
}

}  // namespace slipway::gpu
