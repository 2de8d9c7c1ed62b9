#include "run/seccomp.h"

#include <sched.h>

#include <array>

namespace slipway::run {
namespace {

using Name = std::string_view;

constexpr auto kForbidden = std::to_array<Name>(
    {// namespaces and mounts
     "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount", "open_tree",
     "pivot_root", "setns", "umount", "umount2", "unshare",
     // the kernel itself
     "acct", "bpf", "create_module", "delete_module", "finit_module", "get_kernel_syms",
     "init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load", "lookup_dcookie",
     "nfsservctl", "perf_event_open", "query_module", "quotactl", "quotactl_fd", "reboot",
     "swapoff", "swapon", "syslog", "sysfs", "_sysctl", "uselib", "ustat", "vhangup", "vm86",
     "vm86old",
     // the clock
     "clock_adjtime", "clock_adjtime64", "clock_settime", "clock_settime64", "settimeofday",
     "stime",
     // keys belong to no namespace
     "add_key", "keyctl", "request_key",
     // large and often attacked
     "io_uring_enter", "io_uring_register", "io_uring_setup", "userfaultfd",
     // past the file tree, past the process tree
     "fanotify_init", "kcmp", "open_by_handle_at"});

constexpr std::array<unsigned long, 7> kCloneFlags{CLONE_NEWNS,  CLONE_NEWCGROUP, CLONE_NEWUTS,
                                                   CLONE_NEWIPC, CLONE_NEWUSER,   CLONE_NEWPID,
                                                   CLONE_NEWNET};

#if defined(__aarch64__)
constexpr std::array<Name, 2> kArchitectures{"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#else
constexpr std::array<Name, 3> kArchitectures{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#endif

}  // namespace

std::span<const std::string_view> forbidden_calls() { return kForbidden; }
std::span<const unsigned long> forbidden_clone_flags() { return kCloneFlags; }
std::span<const std::string_view> seccomp_architectures() { return kArchitectures; }

}  // namespace slipway::run
