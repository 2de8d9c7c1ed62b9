#include "plan/tar_tree.h"

#include <deque>
#include <set>

#include "base/file.h"
#include "layer/tar_reader.h"
#include "layer/whiteout.h"

namespace slipway::plan {
namespace {

constexpr int kMostLinks = 40;                 // as in the kernel: path_resolution(7)
constexpr std::size_t kMostFiles = 8'000'000;  // a tar of headers alone shrinks to nothing

std::string joined(std::string_view folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

/// Puts the parts of `path` before those that are still to be walked.
void put_parts(std::string_view path, std::deque<std::string>& parts) {
  std::deque<std::string> ours;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) ours.emplace_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  parts.insert(parts.begin(), ours.begin(), ours.end());
}

}  // namespace

/// One layer: its marks hide what the layers below have, and nothing of its own.
class TarTree::Layer {
 public:
  Layer(const TarTree& below, const Look& look) : below_(below), look_(look) {}

  Result<void> visit(const layer::TarItem& item, Source& bytes) {
    if (item.path.empty()) return {};
    const std::string name = base_name(item.path);
    if (const auto whiteout = layer::read_whiteout(name)) {
      const std::string folder(folder_of(item.path));
      if (whiteout->kind == layer::Whiteout::Kind::Opaque) opaque_.insert(folder);
      if (whiteout->kind == layer::Whiteout::Kind::Name)
        removed_.insert(joined(folder, whiteout->hidden));
      return {};
    }
    Node node;
    if (item.kind == layer::TarItem::Kind::File) {
      node.kind = Node::Kind::File;
      node.text = TRY(look_(item, bytes));
    } else if (item.kind == layer::TarItem::Kind::HardLink) {
      node = twin_of(item.target);
    } else if (item.kind == layer::TarItem::Kind::Link) {
      node.kind = Node::Kind::Link;
      node.target = item.target;
    } else if (item.kind == layer::TarItem::Kind::Folder) {
      node.kind = Node::Kind::Folder;
    }
    nodes_[item.path] = std::move(node);
    if (nodes_.size() + below_.nodes_.size() <= kMostFiles) return {};
    return make_error(ErrorKind::Unsupported, "the image has more than {} files", kMostFiles);
  }

  void put_onto(TarTree& tree) {
    for (const std::string& folder : opaque_) tree.erase_below(folder);
    for (const std::string& path : removed_) {
      tree.nodes_.erase(path);
      tree.erase_below(path);
    }
    for (auto& [path, node] : nodes_) {
      if (node.kind != Node::Kind::Folder) tree.erase_below(path);
      tree.nodes_.insert_or_assign(path, std::move(node));
    }
  }

 private:
  Node twin_of(const std::string& path) const {
    if (const auto ours = nodes_.find(path); ours != nodes_.end()) return ours->second;
    const auto other = below_.nodes_.find(path);
    return other == below_.nodes_.end() ? Node{} : other->second;
  }

  const TarTree& below_;
  const Look& look_;
  Nodes nodes_;
  std::set<std::string> removed_, opaque_;
};

void TarTree::erase_below(const std::string& folder) {
  const std::string first = folder.empty() ? "" : folder + "/";
  auto node = nodes_.lower_bound(first);
  while (node != nodes_.end() && node->first.starts_with(first)) node = nodes_.erase(node);
}

Result<TarTree> TarTree::read(std::span<const std::string> blobs, const Look& look,
                              const CancelToken& cancel) {
  TarTree tree;
  for (const std::string& blob : blobs) {
    Layer layer(tree, look);
    TRY(layer::read_tar_file(blob, cancel, [&](const layer::TarItem& item, Source& bytes) {
      return layer.visit(item, bytes);
    }));
    layer.put_onto(tree);
  }
  return tree;
}

bool TarTree::exists(std::string_view path) const {
  if (path.empty() || nodes_.contains(path)) return true;
  // Layers need not name the folders that they put files into.
  const std::string below = fmt::format("{}/", path);
  const auto node = nodes_.lower_bound(below);
  return node != nodes_.end() && node->first.starts_with(below);
}

std::optional<std::string> TarTree::resolve(std::string_view path) const {
  std::deque<std::string> parts;
  put_parts(path, parts);
  std::string at;
  for (int links = 0; !parts.empty();) {
    const std::string part = std::move(parts.front());
    parts.pop_front();
    if (part == ".") continue;
    if (part == "..") {
      at = folder_of(at);
      continue;
    }
    const std::string next = joined(at, part);
    const auto node = nodes_.find(next);
    if (node == nodes_.end() || node->second.kind != Node::Kind::Link) {
      at = next;
      continue;
    }
    if (++links > kMostLinks) return std::nullopt;
    if (node->second.target.starts_with('/')) at.clear();
    put_parts(node->second.target, parts);
  }
  return exists(at) ? std::optional(at) : std::nullopt;
}

const std::string* TarTree::find(std::string_view path) const {
  const auto real = resolve(path);
  if (!real) return nullptr;
  const auto node = nodes_.find(*real);
  return node == nodes_.end() || !node->second.text ? nullptr : &*node->second.text;
}

std::vector<std::string> TarTree::names(std::string_view path) const {
  std::vector<std::string> names;
  const auto real = resolve(path);
  if (!real) return names;
  const std::string first = real->empty() ? "" : *real + "/";
  for (auto node = nodes_.lower_bound(first);
       node != nodes_.end() && node->first.starts_with(first); ++node) {
    const std::string_view rest = std::string_view(node->first).substr(first.size());
    const std::string_view name = rest.substr(0, rest.find('/'));
    if (names.empty() || names.back() != name) names.emplace_back(name);
  }
  return names;
}

}  // namespace slipway::plan
