/// The layers of an image's packages: their wheels, and what its interpreter compiles of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/threads.h"
#include "layer/bytecode.h"
#include "plan/layer_keeper.h"
#include "plan/wheel_facts.h"
#include "plan/wheel_groups.h"

namespace slipway::plan {

/// Cut into pieces of work, so that layers are made on all cores, and while the base is still being
/// made. A piece may wait for the base, and for pieces before it.
class PackageLayers {
 public:
  /// Borrows all.
  PackageLayers(const LayerKeeper& keeper, const store::Store& store, const spec::Lock& lock,
                const BuildRequest& request, const Tools& tools,
                const std::vector<WheelFacts>& wheels);

  std::size_t count() const { return pieces_.size(); }
  /// Makes one layer, or finds it in the store, and tells of it. For several threads; pieces must
  /// begin in rising order.
  Result<void> make(std::size_t piece, const CancelToken& cancel);
  /// The interpreter is there: its layers, bottom first. Once, from any thread.
  void give_base(const std::vector<ImageLayer>& base);

  /// The cache of bytecode is the caller's, to be deleted at any time; in a user namespace we are
  /// another. To be called after a failure too.
  Result<void> give_cache_back() const;

  /// Once all are made, bottom first.
  std::vector<ImageLayer> layers() const;
  /// Of how many wheels the Python files had to be compiled, or their bytecode taken from the
  /// cache.
  std::size_t compiled() const { return compiled_; }

 private:
  struct Piece {
    enum class Of { Wheels, Bytecode } of;
    std::size_t index;         ///< in groups_ or bytecode_groups_
    std::uint64_t size_bytes;  ///< of what there is to be done
  };
  /// Bytecode of large wheels that share a layer.
  struct BytecodeGroup {
    std::vector<const WheelFacts*> wheels;
    Digest key;
    std::vector<std::string> labels() const;
  };

  void group_bytecode();
  void order_pieces();
  Result<ImageLayer> make_wheels(const WheelGroup& group, const CancelToken& cancel);
  Result<ImageLayer> make_bytecode(const BytecodeGroup& group, const CancelToken& cancel);
  Result<std::vector<layer::Entry>> compile(std::vector<layer::BytecodeInput> wheels,
                                            const CancelToken& cancel);
  Result<void> give_to_owner(const std::string& path) const;

  const LayerKeeper& keeper_;
  const store::Store& store_;
  const spec::Lock& lock_;
  const BuildRequest& request_;
  const Tools& tools_;
  std::map<std::string, const WheelFacts*> facts_;  ///< by the wheel's name

  std::vector<WheelGroup> groups_;
  std::vector<BytecodeGroup> bytecode_groups_;
  std::vector<Piece> pieces_;

  Gate base_;
  layer::BytecodeOptions options_;               ///< all of it once `base_` is open
  std::deque<Gate> wheels_made_;                 ///< of each group
  std::map<std::string, std::size_t> group_of_;  ///< by the wheel's name
  std::vector<ImageLayer> wheel_layers_, bytecode_layers_;
  std::atomic<std::size_t> compiled_{0};
};

}  // namespace slipway::plan
