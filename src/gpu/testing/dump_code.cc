// What read_elf_file finds in each file, one line a group: for tests/system/fat_binary.sh.
#include <fcntl.h>

#include "base/file.h"
#include "gpu/elf.h"

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const auto fd = slipway::open_file(arguments[i], O_RDONLY | O_CLOEXEC);
    if (!fd.ok()) return 1;
    const auto file = slipway::gpu::read_elf_file(fd.value().get());
    if (!file.ok() || !file.value()) return 1;
    const slipway::gpu::GpuCode& code = file.value()->code;
    if (!code.problem.empty()) fmt::print("problem {}\n", code.problem);
    for (const slipway::gpu::CodeGroup& group : code.groups) {
      const bool is_ptx = group.kind == slipway::gpu::CodeKind::Ptx;
      fmt::print("{} {} {}\n", group.count, group.target.text(), is_ptx ? "ptx" : "cubin");
    }
  }
  return 0;
}
