/// The layers of an image's packages: their wheels, and what its interpreter compiles of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/threads.h"
#include "layer/bytecode.h"
#include "plan/layer_keeper.h"
#include "plan/wheel_facts.h"
#include "plan/wheel_groups.h"

namespace slipway::plan {

/// Cut into pieces of work, so that layers are made on all cores, and while the base is still being
/// made: all wheels are unpacked, and what is wrong with them found, before a piece waits for it.
class PackageLayers {
 public:
  /// Borrows all.
  PackageLayers(const LayerKeeper& keeper, const store::Store& store, const spec::Lock& lock,
                const BuildRequest& request, const Tools& tools,
                const std::vector<WheelFacts>& wheels);

  std::size_t count() const { return pieces_.size(); }
  /// For several threads; pieces must begin in rising order, since they may wait for those before.
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
    /// Of groups_: to unpack the wheels, and to compile where the layer has their bytecode. Of
    /// bytecode_groups_: to compile.
    enum class Work { Unpack, CompileWithin, CompileBeside } work;
    std::size_t index;
    std::uint64_t size_bytes;  ///< of what there is to be done
  };
  /// Bytecode of large wheels that share a layer.
  struct BytecodeGroup {
    std::vector<const WheelFacts*> wheels;
    Digest key;
    std::vector<std::string> labels() const;
  };
  /// A layer that lacks its bytecode.
  struct Unpacked {
    TemporaryFolder tree;
    store::BlobWriter blob;
    std::optional<layer::WheelLayer> layer{};
  };

  void group_bytecode();
  void order_pieces();
  Result<void> unpack(std::size_t group, const CancelToken& cancel);
  Result<void> compile_within(std::size_t group, const CancelToken& cancel);
  Result<void> compile_beside(std::size_t bytecode_group, const CancelToken& cancel);
  Result<std::vector<layer::Entry>> compile(std::vector<layer::BytecodeInput> wheels,
                                            const CancelToken& cancel);
  void put(ImageLayer& place, ImageLayer layer) const;
  Result<void> give_to_owner(const std::string& path) const;

  const LayerKeeper& keeper_;
  const store::Store& store_;
  const spec::Lock& lock_;
  const BuildRequest& request_;
  const Tools& tools_;
  std::map<std::string, const WheelFacts*> facts_;  ///< by the wheel's name

  std::vector<WheelGroup> groups_;
  std::map<std::string, std::size_t> group_of_;  ///< by the wheel's name
  std::vector<BytecodeGroup> bytecode_groups_;
  std::vector<Piece> pieces_;

  Gate base_;
  layer::BytecodeOptions options_;  ///< all of it once `base_` is open
  std::deque<Gate> unpacked_;       ///< of each group: its layer is there, or half of it
  std::vector<std::unique_ptr<Unpacked>> half_made_;  ///< of each group
  std::vector<ImageLayer> layers_, bytecode_layers_;  ///< of each group
  std::atomic<std::size_t> compiled_{0};
};

}  // namespace slipway::plan
