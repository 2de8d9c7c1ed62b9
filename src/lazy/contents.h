/// The contents of files, as soon as somebody wants them: fetched, inflated, held against their
/// digests, and kept in a folder until the layer is there as a tree.
///
/// A file is taken whole: a deflate stream cannot be entered in its middle
/// (docs/decisions/0024-lazy-start.md).
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "lazy/blob_pieces.h"
#include "lazy/fetcher.h"
#include "lazy/tree.h"

namespace slipway::lazy {

/// All calls are safe from any thread.
class Contents {
 public:
  /// Borrows everything. `blob_of` says which blob a layer of the tree is. `folder` is empty.
  struct Setup {
    const Tree& tree;
    std::vector<BlobPieces>& blobs;
    Fetcher& fetcher;
    std::vector<std::size_t> blob_of;
    std::string folder;
    std::size_t workers = 4;
  };
  explicit Contents(Setup setup);
  ~Contents();

  /// Gives the file, open for reading. Never blocks: where the contents are not there yet, `ready`
  /// is called on another thread. Fails as the fetcher did, or with Corrupt.
  using Ready = std::function<void(Result<UniqueFd> file)>;
  void open(NodeId file, Ready ready);

  /// Files that a start will open, in this order: made ready while nobody waits for others. As long
  /// as they are being opened, one after another, what is not among them does not come.
  void expect(const std::vector<NodeId>& files);

  /// Nobody waits for a file, none is expected, and so it has been for that long; nor does a start
  /// go on.
  bool is_idle(std::chrono::milliseconds since) const;

  /// Where the contents lie that this path of the image has, if they were opened and no tree has
  /// them yet.
  std::optional<std::string> find_kept(std::string_view path) const;

  /// The layer is there as a tree: what is opened from now on is opened there, and what was kept of
  /// the layer is removed.
  Result<void> take_from_tree(std::size_t layer, const std::string& folder);

 private:
  enum class State { Waiting, Coming };
  struct Wanted {
    State state = State::Waiting;
    std::vector<Ready> ready;
  };

  std::string kept_path(const Extent& extent) const;
  Result<UniqueFd> open_in_tree(const Node& node, int tree) const;
  std::optional<Result<UniqueFd>> open_now(const Node& node) const;
  std::optional<Result<UniqueFd>> open_after_change(const Node& node,
                                                    const std::string& path) const;
  void answer(NodeId file, Ready ready);
  bool is_there(const Node& node) const;
  std::optional<NodeId> take_job(bool may_expect);
  void work(bool may_expect);
  Result<Digest> unpack(const Node& node, const std::string& path);
  Result<void> make(const Node& node);

  const Setup setup_;
  CancelToken cancel_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<NodeId, Wanted> wanted_;        ///< not there yet
  std::deque<NodeId> awaited_, expected_;  ///< of those that are Waiting
  std::set<NodeId> of_start_;              ///< that were expected, and not opened yet
  std::chrono::steady_clock::time_point starting_until_{};
  std::map<Digest, std::size_t> kept_;  ///< and the layer that brought them
  std::chrono::steady_clock::time_point last_made_{};
  std::vector<std::shared_ptr<UniqueFd>> trees_;  ///< of each layer; null: not there
  std::vector<std::jthread> workers_;
};

}  // namespace slipway::lazy
