#include <algorithm>
#include <set>

#include "base/file.h"
#include "gpu/environment_view.h"
#include "gpu/forward_compatibility.h"

namespace slipway::gpu {
namespace {

/// A CUDA runtime in the environment.
struct Runtime {
  std::string version;  ///< `12.4`, or `12` where no more is known
  std::string subject, file;
};

/// A cuda-compat that is there; without a name there is none.
struct Compat {
  std::string name, path;
  const ForwardCompatibility* row = nullptr;
};

/// `12` of `libcudart.so.12`, `11.0` of `libcudart-d0da41ae.so.11.0`.
std::string version_of_soname(const LibraryFile& file) {
  const std::string name = file.facts.soname.empty() ? base_name(file.path) : file.facts.soname;
  const std::size_t at = name.find(".so.");
  return at == std::string::npos ? "" : name.substr(at + 4);
}

std::vector<Runtime> find_runtimes(const EnvironmentView& view) {
  const PythonPackage* const torch = view.find_package("torch");
  const std::string torch_cuda = torch == nullptr || torch->cuda == "none" ? "" : torch->cuda;
  std::vector<Runtime> runtimes;
  for (const auto& [path, file] : view.tree().files()) {
    const std::string name = base_name(path);
    if (!name.starts_with("libcudart.so") && !name.starts_with("libcudart-")) continue;
    std::string version = version_of_soname(*file);
    if (file->owner.starts_with("nvidia-cuda-runtime")) {
      version = major_minor_of(EnvironmentView::version_of(*file));
    } else if (file->owner.starts_with("torch ") && !torch_cuda.empty()) {
      version = torch_cuda;
    }
    if (!version.empty()) runtimes.push_back({version, EnvironmentView::subject_of(*file), path});
  }
  if (runtimes.empty() && !torch_cuda.empty())
    runtimes.push_back({torch_cuda, "torch " + torch->version, ""});
  return runtimes;
}

/// The first driver that runs it: of the major version where there is minor-version compatibility.
std::optional<DriverVersion> find_floor(const CompatibilityTables& tables,
                                        const std::string& cuda) {
  const std::string major(major_of(cuda));
  for (const CudaDriver& row : tables.cuda_drivers) {
    // SONAMEs of CUDA 11 all say 11.0: the true 11.0 is told from them by nothing.
    if (row.cuda == major) return row.min_driver;
  }
  const CudaRelease* const release = find_cuda_release(tables, cuda);
  return release == nullptr ? std::nullopt : std::optional(release->driver);
}

class DriverJudge {
 public:
  DriverJudge(const EnvironmentView& view, const HostQuestion& question,
              const CompatibilityTables& tables, std::vector<Finding>& findings)
      : view_(view), question_(question), tables_(tables), findings_(findings) {}

  void run() {
    judge_chips();
    std::set<std::string> seen;
    for (const Runtime& runtime : find_runtimes(view_)) {
      if (seen.insert(runtime.version).second) judge_runtime(runtime);
    }
  }

 private:
  const DriverVersion& driver() const { return *question_.driver; }
  std::string subject() const { return "driver " + driver().text(); }

  void judge_chips() {
    for (const GpuModel& gpu : question_.gpus) {
      if (gpu.first_driver && !reaches(driver(), *gpu.first_driver)) {
        findings_.push_back(
            {"driver", subject(), "", gpu.name, Verdict::Broken,
             fmt::format("it does not know compute capability {}: that came with {}",
                         gpu.capability.text(), gpu.first_driver->text()),
             fmt::format("raise the driver to >={}", gpu.first_driver->text())});
      }
      if (gpu.last_driver && driver().branch() > gpu.last_driver->branch()) {
        findings_.push_back(
            {"driver", subject(), "", gpu.name, Verdict::Broken,
             fmt::format("it no longer supports compute capability {}: branch {} is the last",
                         gpu.capability.text(), gpu.last_driver->text()),
             fmt::format("stay with driver branch {}", gpu.last_driver->text())});
      }
    }
  }

  void judge_runtime(const Runtime& runtime) {
    Finding finding{"driver", subject(), runtime.file, "", Verdict::Ok, "", ""};
    const auto floor = find_floor(tables_, runtime.version);
    if (!floor) {
      finding.verdict = Verdict::Unknown;
      finding.reason = fmt::format("{} is for CUDA {}, whose driver is not in the tables",
                                   runtime.subject, runtime.version);
      findings_.push_back(std::move(finding));
      return;
    }
    if (!reaches(driver(), *floor)) return judge_old_driver(runtime, *floor, std::move(finding));
    const CudaRelease* const release = find_cuda_release(tables_, runtime.version);
    const bool is_full = release == nullptr || reaches(driver(), release->driver);
    finding.reason = fmt::format(
        "CUDA {} runs{}", runtime.version,
        is_full ? ""
                : fmt::format(" by minor-version compatibility; PTX of that CUDA needs >={}",
                              release->driver.text()));
    findings_.push_back(std::move(finding));
  }

  /// The driver is too old by itself; cuda-compat may stand in for it.
  void judge_old_driver(const Runtime& runtime, const DriverVersion& floor, Finding finding) {
    finding.verdict = Verdict::Broken;
    finding.reason = fmt::format("CUDA {} ({}) needs driver {} or newer", runtime.version,
                                 runtime.subject, floor.text());
    finding.remedy = fmt::format("raise the driver to >={}", floor.text());
    const Compat compat = find_compat(floor);
    if (compat.name.empty() || question_.gpus.empty()) {
      findings_.push_back(std::move(finding));
      return;
    }
    finding.file = compat.path;
    for (const GpuModel& gpu : question_.gpus) judge_compat(compat, gpu, finding);
  }

  void judge_compat(const Compat& compat, const GpuModel& gpu, Finding finding) {
    finding.gpu = gpu.name;
    const ForwardCompatibility* const row = compat.row;
    std::string because;
    if (row == nullptr) {
      finding.verdict = Verdict::Unknown;
      because = fmt::format("no table knows the drivers for which {} stands in", compat.name);
    } else if (!fits_driver(*row, driver())) {
      because = fmt::format("{} stands in for the driver branches {} alone", compat.name,
                            branches_text(*row));
    } else if (gpu.kind.empty()) {
      finding.verdict = Verdict::Unknown;
      because = fmt::format("{} helps on data-centre GPUs alone", compat.name);
    } else if (!fits_kind(*row, gpu.kind)) {
      because =
          fmt::format("{} does not work on a {} (error 804)", compat.name, kind_text(gpu.kind));
    } else if (!knows_chip(*row, gpu)) {
      because = fmt::format("{} no longer supports compute capability {}", compat.name,
                            gpu.capability.text());
    } else {
      finding.verdict = Verdict::Ok;
      finding.remedy = "";
      because = fmt::format("{} stands in for it", compat.name);
    }
    finding.reason += "; " + because;
    findings_.push_back(std::move(finding));
  }

  /// That of the host, else that of the image, whose libcuda reaches `floor`.
  Compat find_compat(const DriverVersion& floor) const {
    const auto* const given = find_forward_compatibility(tables_, question_.cuda_compat);
    if (given != nullptr && reaches(given->driver, floor))
      return {"cuda-compat " + given->cuda, "", given};
    for (const LibraryFile* file : view_.find_libraries("libcuda")) {
      if (file->path.find("/compat/") == std::string::npos) continue;
      const auto version = parse_driver_version(EnvironmentView::version_of(*file));
      if (version.ok() && version.value().branch() > 1 && reaches(version.value(), floor))
        return {fmt::format("the image's cuda-compat ({})", version->text()), file->path,
                find_forward_compatibility(tables_, version.value())};
    }
    return {};
  }

  const EnvironmentView& view_;
  const HostQuestion& question_;
  const CompatibilityTables& tables_;
  std::vector<Finding>& findings_;
};

}  // namespace

void judge_driver(const EnvironmentView& view, const HostQuestion& question,
                  const CompatibilityTables& tables, std::vector<Finding>& findings) {
  if (question.driver) DriverJudge(view, question, tables, findings).run();
}

}  // namespace slipway::gpu
