/// One function a command; each returns its row.
#pragma once

#include "base/file.h"
#include "cli/command.h"

namespace slipway::cli {

Command load_command();
Command pull_command();
Command push_command();
Command lock_command();
Command build_command();
Command capture_command();
Command check_command();
Command run_command();
Command images_command();
Command inspect_command();
Command diff_command();
Command export_command();
Command save_command();
Command slim_command();
Command sbom_command();
Command gc_command();
Command doctor_command();
Command gpu_command();
Command tree_command();
Command verify_command();
Command why_command();
Command ps_command();
Command logs_command();
Command exec_command();
Command attach_command();
Command start_command();
Command stop_command();
Command kill_command();
Command wait_command();
Command rm_command();
Command stats_command();
Command sign_command();
Command verify_command();

}  // namespace slipway::cli
