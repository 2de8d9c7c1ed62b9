/// How runs are shown to people and to scripts.
#pragma once

#include <string>
#include <vector>

#include "plan/runs.h"

namespace slipway::cli {

/// "Up 2 hours", "Exited (3) 5 minutes ago", in Docker's words.
std::string status_text(const run::KnownRun& run, UtcTime now);
std::string ps_table(const std::vector<run::KnownRun>& runs, UtcTime now);
std::string ps_json(const std::vector<run::KnownRun>& runs);

/// State and receipt, as one JSON object.
std::string run_page(const run::KnownRun& run, const std::string& receipt);
std::string json_text(const std::vector<run::ReceiptDifference>& differences);

/// Whether a run is what `key=value` says: id, name, image, status, label, exited. InvalidInput
/// names the keys that there are.
Result<bool> matches_filter(const run::KnownRun& run, const std::string& filter);

}  // namespace slipway::cli
