/// From an archive's address to verified Packages files on this disk.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/reporter.h"
#include "index/debian_sources.h"
#include "index/debian_text.h"

namespace slipway::http {
class Client;
}

namespace slipway::index {

/// A Packages file of one component: which bytes, and where they are.
struct PackagesFile {
  std::string index;  ///< DebianSource::name
  std::string path;   ///< below dists/<suite>/
  std::string cached_path;
  Digest sha256;  ///< of the compressed file
  std::uint64_t size_bytes = 0;
  std::uint64_t text_bytes = 0;   ///< decompressed
  int priority = 0;               ///< DebianPool::add_packages
  std::vector<std::string> urls;  ///< by hash first where the archive offers it
};

/// What a checked release offers for the source's components. Pure. Fails with Unsupported where
/// the release has no such component or architecture.
Result<std::vector<PackagesFile>> choose_packages_files(const DebianSource& source,
                                                        const DebianRelease& release,
                                                        std::string_view architecture,
                                                        const std::string& cache_folder);

/// Fetches, checks and parses the InRelease of one source. As DebianIndex::fetch.
Result<DebianRelease> fetch_release(const DebianSource& source, http::Client& client,
                                    const std::string& cache_folder, const CancelToken& cancel);

/// Fetches the files that are not in the cache yet.
Result<void> fetch_packages_files(std::span<const PackagesFile> files, http::Client& client,
                                  Reporter& reporter, const CancelToken& cancel);

/// The decompressed text (xz or gzip by its path). Fails with Corrupt, also when it is longer or
/// shorter than the release said.
Result<std::string> read_packages_text(const PackagesFile& file);

}  // namespace slipway::index
