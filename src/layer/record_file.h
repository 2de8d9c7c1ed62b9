/// RECORD, a wheel's list of files (PEP 376, PEP 427): CSV of path, hash, size. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/error.h"

namespace slipway::layer {

struct RecordRow {
  std::string hash;  ///< `sha256=<base64url without padding>`; may be empty
  std::string size;  ///< decimal; may be empty
};

using Record = std::map<std::string, RecordRow>;  ///< by path

/// What a row's hash says, where it is a sha256.
std::optional<Digest> sha256_of_row(std::string_view hash);

/// Quoted fields, `\n` or `\r\n`. Rows that repeat a path: the last counts. Fails with Corrupt.
Result<Record> parse_record(std::string_view text);
std::string write_record(const Record& record);
RecordRow make_record_row(std::string_view contents);

}  // namespace slipway::layer
