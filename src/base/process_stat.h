/// /proc/<pid>/stat (proc_pid_stat(5)), a line of fields, and /proc/<pid>/status
/// (proc_pid_status(5)), a line for each.
#pragma once

#include <string_view>

namespace slipway {

/// Field `number` of such a line, as proc_pid_stat(5) counts them, from 3 on; empty where the line
/// has not so many. Pure; borrows from `stat`.
std::string_view process_stat_field(std::string_view stat, int number);

/// When the process started, in ticks since the boot.
inline constexpr int kStartTimeField = 22;

/// The value of the line `Name:\tvalue`; empty where there is no such line. Pure; borrows from
/// `status`.
std::string_view process_status_field(std::string_view status, std::string_view name);

}  // namespace slipway
