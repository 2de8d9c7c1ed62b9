/// A wheel's METADATA over the network, by the cheapest way that works. Internal to index.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "http/client.h"
#include "index/project_page.h"

namespace slipway::index {

class MetadataFetcher {
 public:
  /// `scratch_folder` takes whole wheels, for a while, from servers that ignore ranges.
  MetadataFetcher(http::Client& client, std::string scratch_folder, std::vector<CancelToken> cancel)
      : client_(client), scratch_folder_(std::move(scratch_folder)), cancel_(std::move(cancel)) {}

  /// The `.metadata` file where the index has it, else from inside the wheel: by ranges, or from
  /// the whole file where the server ignores those. Fails with Corrupt for a wrong hash.
  Result<std::string> fetch(const WheelFile& wheel) const;
  /// RECORD, by ranges alone: Unsupported where the server ignores those.
  Result<std::string> fetch_record(const WheelFile& wheel) const;

 private:
  http::Request request(std::string url) const;
  Result<std::string> fetch_metadata_file(const WheelFile& wheel) const;
  Result<std::string> fetch_whichever_is_there(const WheelFile& wheel) const;
  Result<std::string> fetch_from_wheel(const WheelFile& wheel, Result<http::RangeBody> tail) const;
  Result<std::string> fetch_whole(const WheelFile& wheel) const;

  http::Client& client_;
  std::string scratch_folder_;
  std::vector<CancelToken> cancel_;
};

}  // namespace slipway::index
