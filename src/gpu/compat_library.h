/// The libraries of NVIDIA's package cuda-compat, and the note in which its libcuda says for which
/// drivers and GPUs it stands in: section `.note.cuda.fwd_compatibility`, an ELF note of the name
/// `NVIDIA Corporation` whose contents are JSON (NVIDIA Container Toolkit, its hook
/// enable-cuda-compat).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/io.h"

namespace slipway::gpu {

struct CompatNote {
  std::string cuda;           ///< `12.8`; empty where it says none
  std::vector<int> branches;  ///< of the host's driver
  /// Kinds of GPUs by NVML's numbers (nvmlBrandType_t). NVIDIA names the field `Device` and
  /// explains it nowhere; the numbers are those of the brands in the images' NVIDIA_REQUIRE_CUDA.
  std::vector<int> brands;
  bool operator==(const CompatNote&) const = default;
};

/// Nothing: these are not the bytes of an ELF file, or it has no such note. Corrupt: it has one
/// that cannot be read.
Result<std::optional<CompatNote>> read_compat_note(Bytes bytes);

struct CompatLibrary {
  std::string soname;  ///< empty: it has none
  std::optional<CompatNote> note;
  std::string note_problem;  ///< there is one, and it cannot be read
};

/// Of an open regular file; nothing where it is no library for programs of this machine.
std::optional<CompatLibrary> read_compat_library(int fd);

}  // namespace slipway::gpu
