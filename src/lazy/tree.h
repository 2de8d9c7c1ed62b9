/// The files of an image as one tree, known before their contents are there.
///
/// It is the tree that unpacking the layers and mounting them over each other would show: whiteouts
/// and opaque folders are worked off (image-spec layer.md), and what layer/tree_unpacker.h leaves
/// out is left out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "layer/whiteout.h"
#include "lazy/entry.h"

namespace slipway::lazy {

using NodeId = std::uint32_t;
inline constexpr NodeId kRoot = 0;

struct Node {
  layer::TarItem item;      ///< no HardLink; its path is the first under which it was known
  std::size_t layer = 0;    ///< the topmost that spoke of it
  std::uint32_t links = 1;  ///< st_nlink
  std::variant<std::monostate, Extent, HostPath> contents;
  std::map<std::string, NodeId, std::less<>> children;
  NodeId parent = kRoot;
};

/// Safe for several threads once it is filled.
class Tree {
 public:
  Tree();
  /// Lays a layer over what there is: bottom first. Fails with Corrupt as unpacking would, and with
  /// Unsupported for a layer whose paths lead through its own links.
  Result<void> add_layer(std::size_t layer, const std::vector<Entry>& entries);
  /// To be called once, behind the last layer.
  void count_links();

  const Node& node(NodeId id) const { return nodes_[id]; }
  std::size_t size() const { return nodes_.size(); }
  std::optional<NodeId> find(NodeId folder, std::string_view name) const;
  /// As open(2) in a container: links are followed. Nothing where there is nothing.
  std::optional<NodeId> resolve(std::string_view path) const;

 private:
  NodeId make(NodeId parent, const std::string& name, layer::TarItem item, std::size_t layer);
  Result<NodeId> enter(std::string_view folder, std::size_t layer);
  void hide(const Entry& entry, const layer::Whiteout& whiteout);
  std::optional<NodeId> find_plainly(std::string_view path) const;
  Result<void> add_hard_link(const Entry& entry, NodeId folder, const std::string& name,
                             std::size_t layer);

  std::vector<Node> nodes_;
};

}  // namespace slipway::lazy
