/// Which wheels captured packages came from: by the installer's note (PEP 610), or by an index
/// whose file has the RECORD that is installed here. Of a wheel only its RECORD is read, in ranges.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "layer/record_file.h"
#include "plan/captured_packages.h"
#include "plan/tools.h"

namespace slipway::plan {

enum class AskIndexes { Yes, No };

struct OriginReport {
  std::size_t matched = 0;
  std::vector<std::string> unmatched;  ///< `numpy 1.26.4: why`
  std::string unreachable;             ///< why the rest was not looked for
};

/// Fills `origin` of those whose wheel is found. What is unknown is no failure: an index that does
/// not answer soon is asked once and not waited for. Starts threads, and has ended them when it
/// returns. Fails with Cancelled, and with what is wrong in the configuration of indexes.
Result<OriginReport> find_origins(CapturedPackages& packages, AskIndexes ask, const Tools& tools);

/// Whether `installed` is what an installer makes of a wheel with that RECORD: each file with its
/// hash, and nothing besides what installers add. `dist_info` is the folder's name. Pure.
bool is_record_of(const layer::Record& wheel, const layer::Record& installed,
                  std::string_view dist_info);

/// What direct_url.json says of a wheel that was installed by its address, and is the package's by
/// its name; nothing for folders, repositories and the rest. Pure.
std::optional<PackageOrigin> parse_direct_url(std::string_view json,
                                              const CapturedPackage& package);

}  // namespace slipway::plan
