#include "cli/all_commands.h"

#include "base/io.h"

namespace slipway::cli {

std::span<const Command> commands() {
  static const std::vector<Command> all{
      lock_command(),   build_command(),  run_command(),     ps_command(),     logs_command(),
      exec_command(),   attach_command(), start_command(),   stop_command(),   kill_command(),
      wait_command(),   rm_command(),     stats_command(),   images_command(), inspect_command(),
      diff_command(),   sbom_command(),   verify_command(),  sign_command(),   save_command(),
      export_command(), load_command(),   capture_command(), push_command(),   pull_command(),
      slim_command(),   gc_command(),     tree_command(),    why_command(),    check_command(),
      doctor_command(), gpu_command()};
  return all;
}

Result<void> print(std::string_view text) {
  FdSink out(1);
  return out.write(as_bytes(text));
}

}  // namespace slipway::cli
