/// The doctor's findings and facts as a text for a bug report, without what is nobody's business.
#pragma once

#include <string>
#include <string_view>

#include "plan/doctor.h"

namespace slipway::plan {

/// What must not be in a report.
struct Secrets {
  std::string home;       ///< becomes `~`
  std::string user_name;  ///< becomes `user`, as do the names of other homes
  std::string host_name;  ///< becomes `host`

  /// Of this process.
  static Secrets current();
};

/// Also takes out what stands between `://` and `@`, and the values of words such as `token=`.
/// Pure.
std::string without_secrets(std::string_view text, const Secrets& secrets);

/// Markdown. No environment variable, no GPU's serial number or UUID, no configuration is in it.
std::string make_report(const Diagnosis& diagnosis, std::string_view slipway_version,
                        const Secrets& secrets);

}  // namespace slipway::plan
