#include "base/refused_namespaces.h"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/file.h"
#include "base/process_stat.h"

namespace slipway {
namespace {

constexpr std::uint64_t kSysAdmin = std::uint64_t{1} << 21;  // capabilities(7)

bool lacks_sys_admin(std::string_view status) {
  const std::string_view text = process_status_field(status, "CapEff");
  std::uint64_t capabilities = ~std::uint64_t{0};
  (void)std::from_chars(text.data(), text.data() + text.size(), capabilities, 16);
  return (capabilities & kSysAdmin) == 0;
}

}  // namespace

void explain_refusal(Error& error, int error_number, std::string_view process_status) {
  if (error_number == ENOSPC || error_number == EUSERS) {
    error.because.emplace_back("a limit on namespaces is reached, or is 0");
    error.hints.emplace_back(
        "`sysctl user.max_mnt_namespaces user.max_pid_namespaces` shows the limits, and sets them");
    return;
  }
  if (error_number != EPERM && error_number != EACCES) return;
  if (lacks_sys_admin(process_status)) {
    error.because.emplace_back("this root lacks CAP_SYS_ADMIN, as in a container");
  } else if (process_status_field(process_status, "Seccomp") == "2") {
    error.because.emplace_back("a seccomp filter is on, as in a container");
  } else {
    error.because.emplace_back(
        "this root has CAP_SYS_ADMIN: AppArmor or SELinux may refuse it, as in a container");
  }
  error.hints.emplace_back(
      "where this is a container: `docker run --privileged`, or with `--cap-add SYS_ADMIN "
      "--security-opt seccomp=unconfined --security-opt apparmor=unconfined`");
}

Error refused_namespaces(std::string_view what, int error_number) {
  char buffer[128];
  Error error = make_error(ErrorKind::Unsupported, "{}: {}", what,
                           ::strerror_r(error_number, buffer, sizeof buffer));
  const auto status = read_file("/proc/self/status");
  explain_refusal(error, error_number, status.ok() ? *status : "");
  return error;
}

}  // namespace slipway
