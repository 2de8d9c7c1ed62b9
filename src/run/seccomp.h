/// The system calls that a container is refused.
///
/// A list of what is forbidden rather than of what is allowed: a call that is newer than the list
/// then works, where an allow list makes it fail in ways that programs do not expect. Privileges
/// are held back by capabilities and no_new_privs; this list takes away what has been a way out of
/// containers although it needs none: namespaces, mounts, keys, io_uring, bpf, perf, userfaultfd.
#pragma once

#include <span>
#include <string_view>

namespace slipway::run {

/// Answered with EPERM.
std::span<const std::string_view> forbidden_calls();

/// clone(2) with any of these flags (CLONE_NEW…) is answered with EPERM.
std::span<const unsigned long> forbidden_clone_flags();

/// Answered with ENOSYS: clone3(2), whose flags a filter cannot see. The C library then uses clone.
inline constexpr std::string_view kHiddenCall = "clone3";

/// seccomp's names of this machine's architecture, the native one first.
std::span<const std::string_view> seccomp_architectures();

}  // namespace slipway::run
