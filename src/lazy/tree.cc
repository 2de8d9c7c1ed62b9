#include "lazy/tree.h"

#include <deque>

#include "layer/item_attributes.h"
#include "layer/layout.h"
#include "layer/tree_unpacker.h"

namespace slipway::lazy {
namespace {

using layer::TarItem;
using Kind = TarItem::Kind;

constexpr int kMostLinks = 40;  ///< as the kernel follows

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// What unpacking makes where a layer has a path without its folders.
TarItem implied_folder(std::string_view path) {
  TarItem item;
  item.kind = Kind::Folder;
  item.path = path;
  item.mode = 0755;
  return item;
}

Error corrupt(std::string_view path, std::string_view why) {
  return make_error(ErrorKind::Corrupt, "has an entry `{}` that {}", path, why);
}

}  // namespace

Tree::Tree() {
  nodes_.emplace_back();
  nodes_[kRoot].item = implied_folder("");
  nodes_[kRoot].item.time_seconds = layer::kLayerTime;
}

std::optional<NodeId> Tree::find(NodeId folder, std::string_view name) const {
  const auto found = nodes_[folder].children.find(name);
  if (found == nodes_[folder].children.end()) return std::nullopt;
  return found->second;
}

NodeId Tree::make(NodeId parent, const std::string& name, TarItem item, std::size_t layer) {
  const auto id = static_cast<NodeId>(nodes_.size());
  Node& node = nodes_.emplace_back();
  node.item = std::move(item);
  node.layer = layer;
  node.parent = parent;
  nodes_[parent].children[name] = id;
  return id;
}

/// The folder at `path`, made where this layer has none: a folder of this layer stands in place of
/// what is no folder below.
Result<NodeId> Tree::enter(std::string_view path, std::size_t layer) {
  NodeId folder = kRoot;
  for (std::size_t end = 0; end < path.size();) {
    const std::size_t begin = end == 0 ? 0 : end + 1;
    end = std::min(path.find('/', begin), path.size());
    const std::string name(path.substr(begin, end - begin));
    const std::optional<NodeId> found = find(folder, name);
    if (found && nodes_[*found].item.kind == Kind::Folder) {
      // A layer that does not speak of the folder still gives it its looks, as when it is unpacked.
      if (nodes_[*found].layer != layer) {
        nodes_[*found].item = implied_folder(path.substr(0, end));
        nodes_[*found].layer = layer;
      }
      folder = *found;
      continue;
    }
    if (found && nodes_[*found].layer == layer) {
      if (nodes_[*found].item.kind != Kind::Link) {
        return corrupt(path, "lies in something that is no folder of the layer");
      }
      return make_error(ErrorKind::Unsupported, "has an entry `{}` behind a link of its own", path);
    }
    folder = make(folder, name, implied_folder(path.substr(0, end)), layer);
  }
  return folder;
}

std::optional<NodeId> Tree::find_plainly(std::string_view path) const {
  NodeId id = kRoot;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const auto next = find(id, path.substr(0, slash));
    if (!next) return std::nullopt;
    id = *next;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return id;
}

/// What the layers below have there is gone.
void Tree::hide(const Entry& entry, const layer::Whiteout& whiteout) {
  const auto folder = find_plainly(parent_of(entry.item.path));
  if (!folder) return;
  if (whiteout.kind == layer::Whiteout::Kind::Opaque) nodes_[*folder].children.clear();
  if (whiteout.kind == layer::Whiteout::Kind::Name) nodes_[*folder].children.erase(whiteout.hidden);
}

Result<void> Tree::add_hard_link(const Entry& entry, NodeId folder, const std::string& name,
                                 std::size_t layer) {
  const auto target = find_plainly(entry.item.target);
  const bool is_there =
      target && nodes_[*target].layer == layer &&
      (nodes_[*target].item.kind == Kind::File || nodes_[*target].item.kind == Kind::Link);
  if (!is_there) {
    return corrupt(
        entry.item.path,
        fmt::format("is a hard link to `{}`, which is no file of the layer", entry.item.target));
  }
  nodes_[folder].children[name] = *target;
  return {};
}

Result<void> Tree::add_layer(std::size_t layer, const std::vector<Entry>& entries) {
  // Marks speak of the layers below, wherever they stand in the tar.
  for (const Entry& entry : entries) {
    if (const auto whiteout = layer::read_whiteout(name_of(entry.item.path)))
      hide(entry, *whiteout);
  }
  for (const Entry& entry : entries) {
    const std::string name(name_of(entry.item.path));
    if (entry.item.path.empty() || layer::is_left_out(entry.item)) continue;
    const NodeId folder = TRY(enter(parent_of(entry.item.path), layer));
    if (layer::read_whiteout(name)) continue;
    if (entry.item.kind == Kind::HardLink) {
      TRY(add_hard_link(entry, folder, name, layer));
      continue;
    }
    TarItem item = entry.item;
    std::erase_if(item.attributes,
                  [](const auto& one) { return !layer::is_wanted_attribute(one.first); });
    const auto found = find(folder, name);
    if (found && item.kind == Kind::Folder && nodes_[*found].item.kind == Kind::Folder) {
      nodes_[*found].item = std::move(item);
      nodes_[*found].layer = layer;
      continue;
    }
    const NodeId id = make(folder, name, std::move(item), layer);
    nodes_[id].contents = entry.contents;
  }
  return {};
}

void Tree::count_links() {
  for (Node& node : nodes_) node.links = node.item.kind == Kind::Folder ? 2 : 0;
  std::deque<NodeId> waiting{kRoot};
  while (!waiting.empty()) {
    const NodeId id = waiting.front();
    waiting.pop_front();
    for (const auto& [name, child] : nodes_[id].children) {
      if (nodes_[child].item.kind == Kind::Folder) {
        ++nodes_[id].links;
        waiting.push_back(child);
      } else {
        ++nodes_[child].links;
      }
    }
  }
}

std::optional<NodeId> Tree::resolve(std::string_view path) const {
  std::string rest(path);
  NodeId here = kRoot;
  for (int links = 0; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string part = rest.substr(0, slash);
    rest.erase(0, std::min(slash + 1, rest.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      here = nodes_[here].parent;
      continue;
    }
    const auto next = find(here, part);
    if (!next) return std::nullopt;
    if (nodes_[*next].item.kind != Kind::Link) {
      here = *next;
      continue;
    }
    if (++links > kMostLinks) return std::nullopt;
    const std::string& target = nodes_[*next].item.target;
    if (target.starts_with('/')) here = kRoot;
    rest = rest.empty() ? target : target + "/" + rest;
  }
  return here;
}

}  // namespace slipway::lazy
