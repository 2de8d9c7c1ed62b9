/// The facts of an environment, looked up by those who judge it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/compatibility.h"
#include "gpu/image_tree.h"
#include "gpu/verdict.h"

namespace slipway::gpu {

/// Dotted numbers: -1, 0 or 1; missing parts are 0, what is no digit ends a part.
int compare_dotted(std::string_view a, std::string_view b);
/// `12.4` of `12.4.127`; `12` of `12`.
std::string_view major_minor_of(std::string_view version);
std::string_view major_of(std::string_view version);

/// Borrows the environment.
class EnvironmentView {
 public:
  explicit EnvironmentView(const Environment& environment);

  const ImageTree& tree() const { return tree_; }
  /// By normalised name; the package of the highest layer.
  const std::map<std::string, PythonPackage>& packages() const { return packages_; }
  const PythonPackage* find_package(std::string_view name) const;
  std::map<std::string, std::string> installed() const;  ///< name -> version

  /// Who brought it, else the file's name.
  static std::string subject_of(const LibraryFile& file);
  /// Files whose SONAME (else name) is `stem`.so or begins with `stem`.so., by path.
  std::vector<const LibraryFile*> find_libraries(std::string_view stem) const;
  /// The version of a library of NVIDIA's: of the wheel that owns it, else of its file name.
  static std::string version_of(const LibraryFile& file);

 private:
  ImageTree tree_;
  std::map<std::string, PythonPackage> packages_;
};

/// The judges, one for each layer; each adds its findings.
void judge_gpus(const EnvironmentView& view, const HostQuestion& question,
                const CompatibilityTables& tables, std::vector<Finding>& findings);
void judge_driver(const EnvironmentView& view, const HostQuestion& question,
                  const CompatibilityTables& tables, std::vector<Finding>& findings);
void judge_pairs(const EnvironmentView& view, const HostQuestion& question,
                 const CompatibilityTables& tables, std::vector<Finding>& findings);
void judge_system(const Environment& environment, const EnvironmentView& view,
                  const HostQuestion& question, std::vector<Finding>& findings);

/// The driver that came with the CUDA which brought a PTX version; null where no table knows.
const CudaRelease* find_ptx_driver(const CompatibilityTables& tables, std::string_view ptx);
const CudaRelease* find_cuda_release(const CompatibilityTables& tables, std::string_view cuda);

}  // namespace slipway::gpu
