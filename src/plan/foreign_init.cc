#include "plan/foreign_init.h"

#include <fcntl.h>

#include <array>

#include "base/file.h"
#include "base/process.h"
#include "gpu/elf.h"

namespace slipway::plan {
namespace {

constexpr std::array<std::string_view, 4> kNames{"catatonit", "tini-static", "tini", "docker-init"};

/// One that is linked to a C library would look for it in the image.
bool is_static(const std::string& path) {
  const Result<UniqueFd> file = open_file(path, O_RDONLY);
  if (!file.ok()) return false;
  const auto read = gpu::read_elf_file(file->get());
  return read.ok() && read->has_value() && (*read)->facts.interpreter.empty();
}

}  // namespace

Result<void> add_foreign_init(run::RunRequest& request) {
  std::string passed_over;
  for (const std::string_view name : kNames) {
    const std::optional<std::string> path = find_program(name);
    if (!path) continue;
    if (!is_static(*path)) {
      if (passed_over.empty()) passed_over = *path;
      continue;
    }
    request.host_places.push_back({run::HostPlace::Kind::File, *path, kForeignInit});
    request.init_path = kForeignInit;
    return {};
  }
  constexpr const char* kHint = "as root: `apt-get install catatonit`, or leave out `--init`";
  if (passed_over.empty()) {
    return make_error(ErrorKind::NotFound, "`--init` needs an init, and this machine has none")
        .reason("neither `catatonit` nor `tini` is installed, and the image brings none")
        .hint(kHint);
  }
  return make_error(ErrorKind::Unsupported, "`{}` cannot be an init in another image", passed_over)
      .reason("it needs libraries, which the image may have in other versions or not at all")
      .hint(kHint);
}

}  // namespace slipway::plan
