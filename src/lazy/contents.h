/// The contents of files, as soon as somebody wants them: fetched, inflated, held against their
/// digests, and kept in a folder until the layer is there as a tree.
///
/// A file is taken whole: a deflate stream cannot be entered in its middle
/// (docs/decisions/0024-lazy-start.md). What was fetched for a large one is released once it is
/// unpacked: the layer's tar can be rebuilt without it (rebuilt_layer.h).
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
#include "lazy/rebuilt_layer.h"
#include "lazy/tree.h"

namespace slipway::lazy {

/// All calls are safe from any thread.
class Contents {
 public:
  struct Layer {
    std::size_t blob = 0;
    bool may_release = false;  ///< the blob is of no use once the tree is there
  };
  /// Borrows everything; `layers` are those of the tree. `folder` has what a process before this
  /// one kept, which is held against its digests before it is shown.
  struct Setup {
    const Tree& tree;
    std::vector<BlobPieces>& blobs;
    Fetcher& fetcher;
    std::vector<Layer> layers;
    std::string folder;
    std::size_t workers = 4;
  };
  explicit Contents(Setup setup);
  /// What a process that was killed has left half done in its `folder`.
  static Result<void> remove_partial(const std::string& folder);
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

  /// What was released of this layer; from now on no more is. Fails with Unavailable while a file
  /// of it is just coming, and as writing does.
  Result<std::vector<UnpackedPart>> settle(std::size_t layer);
  /// Those parts were not what the layer has there: all of its blob is to come again, and stays.
  Result<void> fetch_anew(std::size_t layer);

  /// The layer is there as a tree: what is opened from now on is opened there, and what was kept of
  /// the layer is removed.
  Result<void> take_from_tree(std::size_t layer, const std::string& folder);

 private:
  /// With what stands behind it in its member: the layer can be rebuilt of both.
  enum class Made { Plainly, WithTail };

  std::string kept_path(const Extent& extent) const;
  Result<UniqueFd> open_in_tree(const Node& node, int tree) const;
  std::optional<Result<UniqueFd>> open_now(const Node& node) const;
  std::optional<Result<UniqueFd>> open_after_change(const Node& node,
                                                    const std::string& path) const;
  void answer(NodeId file, Ready ready);
  bool is_there(const Node& node) const;
  std::optional<NodeId> take_job(bool may_expect);
  void work(bool may_expect);
  std::string tail_path(std::size_t layer, const Extent& extent) const;
  bool releases(const Node& node) const;
  bool must_wait(NodeId file) const;
  Result<Digest> unpack(const Node& node, const std::string& path,
                        std::optional<std::string>* tail);
  Result<Made> make(const Node& node);
  bool keep(const Node& node);
  void end_release(const Node& node, bool is_kept);

  const Setup setup_;
  CancelToken cancel_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<NodeId, std::vector<Ready>> wanted_;  ///< not there yet, and who waits
  std::set<NodeId> coming_;                      ///< of those: being made
  std::deque<NodeId> awaited_, expected_;        ///< to be made
  std::set<NodeId> of_start_;                    ///< that were expected, and not opened yet
  std::chrono::steady_clock::time_point starting_until_{};
  std::map<Digest, std::size_t> kept_;  ///< and the layer that brought them
  std::chrono::steady_clock::time_point last_made_{};
  std::vector<std::shared_ptr<UniqueFd>> trees_;  ///< of each layer; null: not there
  std::vector<std::vector<UnpackedPart>> parts_;  ///< of each layer: what was released
  std::vector<bool> is_settled_;                  ///< of each layer
  std::vector<std::jthread> workers_;
};

}  // namespace slipway::lazy
