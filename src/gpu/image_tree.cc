#include "gpu/image_tree.h"

#include <deque>

namespace slipway::gpu {
namespace {

constexpr int kMostLinks = 40;

/// Puts the components of `path` before those that wait.
void push_components(std::string_view path, std::deque<std::string>& waiting) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path = slash == std::string_view::npos ? "" : path.substr(slash + 1);
  }
  waiting.insert(waiting.begin(), std::make_move_iterator(parts.begin()),
                 std::make_move_iterator(parts.end()));
}

template <typename Value>
void erase_at_and_below(std::map<std::string, Value>& map, const std::string& path) {
  map.erase(path);
  // '0' follows '/' in ASCII: everything below `path/` lies between the two.
  map.erase(map.lower_bound(path + "/"), map.lower_bound(path + "0"));
}

}  // namespace

ImageTree::ImageTree(std::span<const LayerLibraries> layers) {
  for (const LayerLibraries& layer : layers) put_layer(layer);
}

void ImageTree::remove(const std::string& path) {
  erase_at_and_below(files_, path);
  erase_at_and_below(links_, path);
  erase_at_and_below(configurations_, path);
}

/// A real folder of a higher layer hides a link of a lower one.
void ImageTree::replace_links_above(const std::string& path) {
  for (std::size_t slash = path.rfind('/'); slash != 0 && slash != std::string::npos;
       slash = path.rfind('/', slash - 1))
    links_.erase(path.substr(0, slash));
}

void ImageTree::put_layer(const LayerLibraries& layer) {
  for (const std::string& path : layer.removed) remove(path);
  for (const LibraryFile& file : layer.elves) {
    replace_links_above(file.path);
    remove(file.path);
    files_[file.path] = &file;
  }
  for (const LoaderConfiguration& file : layer.loader_configurations) {
    replace_links_above(file.path);
    configurations_[file.path] = file.text;
  }
  for (const LibraryLink& link : layer.links) {
    replace_links_above(link.path);
    remove(link.path);
    links_[link.path] = link.target;
  }
}

std::optional<std::string> ImageTree::resolve(std::string_view path) const {
  const auto known = resolved_.find(std::string(path));
  if (known != resolved_.end()) return known->second;
  std::optional<std::string> real = "";
  std::deque<std::string> waiting;
  push_components(path, waiting);
  for (int links = 0; !waiting.empty();) {
    const std::string part = std::move(waiting.front());
    waiting.pop_front();
    if (part == "..") {
      real->resize(real->empty() ? 0 : real->rfind('/'));
      continue;
    }
    const std::string here = *real + "/" + part;
    const auto link = links_.find(here);
    if (link == links_.end()) {
      real = here;
      continue;
    }
    if (++links > kMostLinks) {
      real.reset();
      break;
    }
    if (link->second.starts_with('/')) real = "";
    push_components(link->second, waiting);
  }
  return resolved_.emplace(path, std::move(real)).first->second;
}

const LibraryFile* ImageTree::find(std::string_view folder, std::string_view name) const {
  const auto real_folder = resolve(folder);
  if (!real_folder) return nullptr;
  const std::string path = fmt::format("{}/{}", *real_folder, name);
  const auto file = files_.find(path);
  if (file != files_.end()) return file->second;
  if (!links_.contains(path)) return nullptr;
  const auto real = resolve(path);
  const auto target = real ? files_.find(*real) : files_.end();
  return target == files_.end() ? nullptr : target->second;
}

}  // namespace slipway::gpu
