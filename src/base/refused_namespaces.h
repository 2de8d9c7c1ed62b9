/// Why a kernel refused namespaces or mounts to a root, as a container's often is: what this
/// process lacks, and what gives it.
#pragma once

#include <string_view>

#include "base/error.h"

namespace slipway {

/// `cannot make …: Operation not permitted`, with the reasons that /proc tells. Unsupported.
Error refused_namespaces(std::string_view what, int error_number);

/// The reasons in the text of /proc/self/status and the hint, for EPERM, EACCES and the limits of
/// namespaces; otherwise nothing is added. Pure.
void explain_refusal(Error& error, int error_number, std::string_view process_status);

}  // namespace slipway
