#include "plan/image_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <deque>
#include <memory>
#include <set>

#include "base/file.h"
#include "base/sandbox_overlay.h"
#include "plan/lazy_folder.h"

namespace slipway::plan {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's: path_resolution(7)
constexpr std::uint64_t kMostTextBytes = 16 << 20;

/// One layer's part of a folder.
struct Part {
  std::size_t layer = 0;
  UniqueFd folder;
};

enum class Kind { Nothing, Folder, Link, File, Other };

/// A name in a folder that several layers make up.
struct Child {
  Kind kind = Kind::Nothing;
  std::size_t layer = 0;
  std::string target;       ///< of a link
  UniqueFd file;            ///< of a regular file
  std::vector<Part> parts;  ///< of a folder, top first
};

Child make_leaf(int folder, const std::string& name, const struct stat& status) {
  Child child;
  child.kind = Kind::Other;
  if (S_ISLNK(status.st_mode)) {
    char target[4096];
    const ssize_t size = ::readlinkat(folder, name.c_str(), target, sizeof target);
    if (size <= 0) return child;
    child.kind = Kind::Link;
    child.target.assign(target, static_cast<std::size_t>(size));
  } else if (S_ISREG(status.st_mode)) {
    child.file.reset(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (child.file) child.kind = Kind::File;
  }
  return child;
}

Child find_child(const std::vector<Part>& parts, const std::string& name) {
  Child child;
  for (const Part& part : parts) {
    struct stat status {};
    const int folder = part.folder.get();
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISDIR(status.st_mode)) {
      if (child.kind != Kind::Nothing || is_whiteout(status)) break;
      child = make_leaf(folder, name, status);
      child.layer = part.layer;
      break;
    }
    UniqueFd below(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below) break;
    if (child.kind == Kind::Nothing) child.layer = part.layer;
    child.kind = Kind::Folder;
    const bool is_last = is_opaque(below.get());
    child.parts.push_back({part.layer, std::move(below)});
    if (is_last) break;
  }
  return child;
}

/// Puts the names of `path` before those that wait.
void push_names(std::string_view path, std::deque<std::string>& waiting) {
  std::vector<std::string> names;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    if (!name.empty() && name != ".") names.emplace_back(name);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  waiting.insert(waiting.begin(), std::make_move_iterator(names.begin()),
                 std::make_move_iterator(names.end()));
}

}  // namespace

/// From `/` down to what a path leads to.
class ImageFiles::Walk {
 public:
  explicit Walk(const ImageFiles& files) : files_(files) { return_to(""); }

  bool go(std::string_view path) {
    std::deque<std::string> waiting;
    push_names(path, waiting);
    while (!waiting.empty()) {
      const std::string name = std::move(waiting.front());
      waiting.pop_front();
      if (child_.kind != Kind::Folder) return false;
      if (name == "..") {
        return_to(path_.substr(0, path_.empty() ? 0 : path_.rfind('/')));
        continue;
      }
      Child next = find_child(child_.parts, name);
      if (next.kind == Kind::Nothing || (next.kind == Kind::Link && ++links_ > kMostLinks)) {
        return false;
      }
      if (next.kind == Kind::Link) {
        if (next.target.starts_with('/')) return_to("");
        push_names(next.target, waiting);
        continue;
      }
      child_ = std::move(next);
      path_ += "/" + name;
    }
    return true;
  }

  const std::string& path() const { return path_; }
  int links() const { return links_; }
  Child& child() { return child_; }

 private:
  /// `path` has no links.
  void return_to(const std::string& path) {
    child_ = {};
    child_.kind = Kind::Folder;
    path_.clear();
    for (std::size_t i = 0; i < files_.layers_.size(); ++i) {
      Result<UniqueFd> folder = open_file(files_.layers_[i].path, O_RDONLY | O_DIRECTORY);
      if (folder.ok()) child_.parts.push_back({i, std::move(*folder)});
    }
    std::deque<std::string> names;
    push_names(path, names);
    for (const std::string& name : names) {
      child_ = find_child(child_.parts, name);
      path_ += "/" + name;
    }
  }

  const ImageFiles& files_;
  std::string path_;
  int links_ = 0;
  Child child_;
};

ImageFiles::ImageFiles(std::vector<LayerFolder> layers) : layers_(std::move(layers)) {}

ImageFiles::ImageFiles(const StoredImage& image, const store::Store& store) {
  const auto& diff_ids = image.config.diff_ids;
  if (diff_ids.empty()) return;
  const Digest chain = oci::chain_id(diff_ids);
  if (store.has_layer(chain)) {
    layers_.push_back({chain, store.layer_path(chain)});
    return;
  }
  const LazyFolder lazy(store, diff_ids);
  if (lazy.exists() && (lazy.is_served() || !check_unpacked(image, store).ok())) {
    layers_.push_back({chain, lazy.tree()});
    are_shown_ = lazy.is_shown();
    return;
  }
  for (auto diff_id = diff_ids.rbegin(); diff_id != diff_ids.rend(); ++diff_id) {
    layers_.push_back({*diff_id, store.layer_path(*diff_id)});
  }
}

std::optional<ImageFiles::Found> ImageFiles::find(std::string_view path) const {
  Walk walk(*this);
  if (!walk.go(path)) return std::nullopt;
  const std::string inside = walk.path().empty() ? "/" : walk.path();
  const LayerFolder* const layer = layers_.empty() ? nullptr : &layers_[walk.child().layer];
  if (layer == nullptr) return std::nullopt;
  return Found{inside, layer->path + inside, layer->id, std::move(walk.child().file)};
}

bool ImageFiles::is_free_of_links(std::string_view path) const {
  Walk walk(*this);
  (void)walk.go(path);
  return walk.links() == 0;
}

std::vector<std::string> ImageFiles::names(std::string_view path) const {
  Walk walk(*this);
  if (!walk.go(path) || walk.child().kind != Kind::Folder) return {};
  std::set<std::string> seen, hidden;
  for (Part& part : walk.child().parts) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(part.folder.release()),
                                                     &::closedir);
    if (!stream) continue;
    while (const dirent* const entry = ::readdir(stream.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == ".." || seen.contains(name)) continue;
      struct stat status {};
      const int folder = ::dirfd(stream.get());
      if (::fstatat(folder, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (is_whiteout(status)) {
        hidden.insert(name);
      } else if (!hidden.contains(name)) {
        seen.insert(name);
      }
    }
  }
  return {seen.begin(), seen.end()};
}

std::string ImageFiles::text(std::string_view path) const {
  const std::optional<Found> found = find(path);
  struct stat status {};
  if (!found || !found->file || ::fstat(found->file.get(), &status) != 0 ||
      static_cast<std::uint64_t>(status.st_size) > kMostTextBytes) {
    return {};
  }
  FdSource source(found->file.get());
  StringSink sink;
  return copy(source, sink).ok() ? sink.text : std::string();
}

}  // namespace slipway::plan
