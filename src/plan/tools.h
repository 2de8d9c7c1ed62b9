/// What the use cases need from the process they run in. Passed in; borrowed for the call.
#pragma once

#include <string>

#include "base/cancel.h"
#include "base/reporter.h"
#include "spec/host_config.h"
#include "store/store.h"

namespace slipway::plan {

struct Tools {
  Reporter& reporter;
  CancelToken cancel;
  std::string store_folder;  ///< see store/store.h
  std::string cache_folder;  ///< downloads and index pages; may be deleted at any time
  spec::HostConfig host;     ///< mirrors, snapshot archives, bundles
  store::Owner owner;        ///< whose the store is: the caller, also from inside a user namespace
};

/// The same tools, that report to somebody else.
Tools with_reporter(const Tools& tools, Reporter& reporter);

/// The folders of this user and `config.toml` in the configuration folder (docs/formats/lock.md).
/// Fails with InvalidInput where that file is wrong.
Result<Tools> find_tools(Reporter& reporter, const CancelToken& cancel);

}  // namespace slipway::plan
