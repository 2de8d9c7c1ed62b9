/// What a run really got, for whoever has to repeat it or to explain it: `<record>/receipt.json`.
///
/// It holds no value of an environment variable: receipts are for showing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "run/bundle.h"
#include "run/record.h"
#include "run/runtime.h"

namespace slipway::run {

struct ReceiptFacts {
  const RunRequest& request;
  const RunFacts& about;
  const BundleFacts& bundle;
  const RuntimeProgram& program;
  std::string runtime_version;
};

/// Files of the host that were brought in are written down with what tells whether they changed
/// since (inode, size, times); `complete_receipt` puts their sha256 beside.
std::string write_receipt(const ReceiptFacts& facts);

/// Hashes the files that are still as they were; those that are not keep `null`. Pure but for them.
/// Fails with Corrupt.
Result<std::string> complete_receipt(std::string_view receipt);

struct ReceiptDifference {
  std::string place;  ///< `limits.memory_bytes`
  std::string one, other;
};
/// Without what differs between any two runs: id, name, times. Sorted. Fails with Corrupt. Pure.
Result<std::vector<ReceiptDifference>> compare_receipts(std::string_view one,
                                                        std::string_view other);

/// What changes when a file does: its place on the disk, its size, and both its times. Empty where
/// there is none.
std::string file_mark(const std::string& path);

/// Of the program at that path; asked once for each file that has been there, and noted in `runs`.
std::string runtime_version(const std::string& runs, const std::string& path);

}  // namespace slipway::run
