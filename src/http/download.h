/// Files from the network: streamed to disk, resumed, checked.
///
///   <path>.part   what has arrived; a later call goes on from there
///   <path>.lock   held while a process writes the part
///   <path>        complete: it appears by rename(2) after the check, and fsync(2) if it lasts
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/reporter.h"
#include "http/client.h"

namespace slipway::http {

struct Download {
  std::string url;
  std::string path;
  std::optional<Digest> sha256;
  std::optional<std::uint64_t> size_bytes;
  std::string label;  ///< for people: "torch 2.6.0"; the file's name when empty
  /// `Name: value`. An Authorization is for the URL's own host: no redirect takes it elsewhere.
  std::vector<std::string> headers{};
  /// Whether the file is to outlive a power cut. One that is used at once and removed need not even
  /// reach the disk; it must have a `sha256`, by which one that is found at its path is judged.
  bool lasts = true;
};

/// Fetches all, `parallel` at a time, the largest first. A file already at its `path` counts as
/// done, where it lasts by its size alone. Folders must exist.
///
/// Blocks; stops within a second of `cancel`. After the first failure the others are stopped too;
/// what has arrived stays in the `.part` files. Threads and processes may race on one path: all
/// succeed, the bytes are fetched once. Fails with Corrupt for a wrong size or hash (the part is
/// removed), Io for the disk, else as http/client.h says. A part is taken up again only when a
/// sha256 will judge the whole, or when the server confirms that the file is still the same.
Result<void> download_all(Client& client, std::span<const Download> downloads, std::size_t parallel,
                          Reporter& reporter, const CancelToken& cancel);

}  // namespace slipway::http
