#include "base/refused_namespaces.h"

#include <doctest/doctest.h>

#include <cerrno>

namespace slipway {
namespace {

TEST_CASE("what a root lacks is named") {
  const struct {
    const char* name;
    int error_number;
    const char *status, *reason;
  } cases[] = {
      {"no capability", EPERM, "Name:\tx\nCapEff:\t00000000a80425fb\nSeccomp:\t2\n",
       "CAP_SYS_ADMIN, as"},
      {"a filter", EPERM, "CapEff:\t000001ffffffffff\nSeccomp:\t2\n", "seccomp"},
      {"neither", EACCES, "CapEff:\t000001ffffffffff\nSeccomp:\t0\n", "AppArmor"},
      {"nothing known", EPERM, "", "AppArmor"},
      {"no number", EPERM, "CapEff:\tx\nCapEff", "AppArmor"},
      {"a limit", ENOSPC, "", "limit"},
      {"a limit of users", EUSERS, "", "limit"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    Error error = make_error(ErrorKind::Io, "x");
    explain_refusal(error, one.error_number, one.status);
    REQUIRE(error.because.size() == 1);
    CHECK(error.because[0].find(one.reason) != std::string::npos);
    CHECK(error.hints.size() == 1);
  }
  Error other = make_error(ErrorKind::Io, "x");
  explain_refusal(other, EINVAL, "CapEff:\t0\n");
  CHECK(other.because.empty());
  CHECK(other.hints.empty());
  const Error full = refused_namespaces("cannot", ENOSPC);
  CHECK(full.kind == ErrorKind::Unsupported);
  CHECK(full.hints.size() == 1);  // nothing about the disk
}

}  // namespace
}  // namespace slipway
