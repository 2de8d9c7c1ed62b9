/// The GPU code inside an ELF file: NVIDIA's fat binaries.
///
/// Section `.nv_fatbin` holds containers one after another, what a program can load. Section
/// `__nv_relfatbin` holds the same for code before device linking: it is never loaded as it is, so
/// it counts apart. There is no public specification; the layout below is what cuobjdump of CUDA 13
/// shows of wheels from CUDA 11.7 to 13.0 (tests/system/fat_binary.sh compares entry by entry):
///
///   container   u32 magic ba55ed50, u16 version 1, u16 header bytes (16), u64 bytes behind it
///   entry       u16 kind (1 PTX, 2 SASS), u16 version, u32 header bytes, u64 payload bytes
///   (padded)
///     +16       u32 compressed bytes, u32 offset of options, u16 minor, u16 major
///     +28       u32 architecture (90), u32 name offset, u32 name bytes, u64 flags
///
/// `major.minor` of a PTX entry is its PTX ISA version. Flags: 0x2000 LZ4, 0x8000 zstd, 0x100000 an
/// `a` variant. (Code for a family, `f`, cannot be told from portable code here, nor by cuobjdump's
/// list; the two run on the same GPUs.) Headers say all that is asked: no payload is read, so a
/// library of 900 MB costs as many pages as it has entries.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/io.h"
#include "gpu/compute_capability.h"

namespace slipway::gpu {

enum class CodeKind { Ptx, Sass };

/// All entries of one kind and target in a file.
struct CodeGroup {
  CodeKind kind = CodeKind::Sass;
  CodeTarget target;
  std::string ptx_version;  ///< `8.4`: the newest among them; empty for SASS
  std::uint32_t count = 0;
  std::uint64_t bytes = 0;  ///< in the file, compressed where they are
  auto operator<=>(const CodeGroup&) const = default;
};

struct GpuCode {
  std::vector<CodeGroup> groups;       ///< what can be loaded; sorted
  std::vector<CodeGroup> relocatable;  ///< before device linking: never loaded; sorted
  std::string problem;                 ///< why the code could not be read; then both are empty
  bool operator==(const GpuCode&) const = default;
  bool empty() const { return groups.empty() && relocatable.empty() && problem.empty(); }
};

/// Of the containers in one section. Every size is checked against the bytes that are there.
/// Corrupt, with the offset, on one that lies. Entries of other kinds (host objects, LTO
/// intermediates) are passed over.
Result<std::vector<CodeGroup>> read_fat_binaries(Bytes section);

/// Of an ELF file. A file without section headers may hold code that cannot be found: that is
/// told in `problem` where the file needs CUDA's runtime or driver by name. Corrupt where sections
/// lie outside the file, or fat binaries lie.
Result<GpuCode> read_gpu_code(Bytes file);

}  // namespace slipway::gpu
