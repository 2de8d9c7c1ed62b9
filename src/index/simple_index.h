/// A Python package index, through its simple API (JSON form), with a cache on disk.
///
///   <cache>/index/<name>/projects/<project>    a page, as index/page_cache.h writes it
///   <cache>/index/<name>/metadata/<2>/<62>     METADATA of the wheel with that sha256: immutable
///   <cache>/index/<name>/records/<2>/<62>      RECORD of it, behind its own sha256
///
/// Thread-safe. A thing asked for twice is fetched once. Failures: NotFound (no such project),
/// Unavailable, Denied, Corrupt (the answer is HTML, no JSON, or hashes to something else),
/// Cancelled. Nothing that comes from the index is trusted beyond its form: file hashes are checked
/// by whoever downloads, metadata here where the index gives its hash.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/error.h"
#include "http/client.h"
#include "index/core_metadata.h"
#include "index/pip_configuration.h"
#include "index/project_page.h"
#include "version/package_name.h"

namespace slipway::index {

enum class Freshness {
  UseCached,   ///< pages younger than the index's max-age need no request
  Revalidate,  ///< ask the index each time; unchanged pages are not sent again
  Offline,     ///< only the cache; what is not there is an Unavailable error
};

using PagePointer = std::shared_ptr<const ProjectPage>;
using MetadataPointer = std::shared_ptr<const CoreMetadata>;

class SimpleIndex {
 public:
  /// `client` must live longer. A password in `config.url` is given to the client for that origin.
  SimpleIndex(IndexConfig config, http::Client& client, std::string cache_folder,
              Freshness freshness, CancelToken cancel = {});
  SimpleIndex(SimpleIndex&&) noexcept;
  ~SimpleIndex();  ///< stops what is in flight

  const std::string& name() const;

  /// Block until the answer is there.
  Result<PagePointer> fetch_project(const version::PackageName& name);
  Result<MetadataPointer> fetch_metadata(const WheelFile& wheel);
  /// The text of the wheel's RECORD, read by ranges: Unsupported where the server ignores those.
  Result<std::string> fetch_record(const WheelFile& wheel);

  /// The same, but never blocking: dozens may be in flight.
  std::shared_future<Result<PagePointer>> prefetch_project(const version::PackageName& name);
  std::shared_future<Result<MetadataPointer>> prefetch_metadata(const WheelFile& wheel);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::index
