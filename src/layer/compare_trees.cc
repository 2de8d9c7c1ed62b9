#include "layer/compare_trees.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/file.h"
#include "base/sandbox_overlay.h"
#include "base/threads.h"
#include "layer/layer_folder.h"

namespace slipway::layer {
namespace {

constexpr std::size_t kBlockBytes = 1 << 18;

struct OpenLayer {
  Digest id;
  UniqueFd root;
};

/// Layers that make up a folder, as indices, top first.
using Parts = std::vector<std::size_t>;
/// The two sides: 0 is before, 1 is after.
using BothParts = std::array<Parts, 2>;

/// What a layer has under a name.
struct Entry {
  std::size_t layer = 0;
  struct stat status {};
};

/// What a side shows under a name: nothing, a leaf, or a folder of some parts.
struct Shown {
  const Entry* top = nullptr;
  Parts parts;
};

FileLook look_of(const struct stat& status) {
  FileLook look;
  look.kind = S_ISREG(status.st_mode)   ? FileLook::Kind::File
              : S_ISLNK(status.st_mode) ? FileLook::Kind::Link
              : S_ISDIR(status.st_mode) ? FileLook::Kind::Folder
                                        : FileLook::Kind::Other;
  if (look.kind == FileLook::Kind::File)
    look.size_bytes = static_cast<std::uint64_t>(status.st_size);
  look.mode = status.st_mode & 07777;
  look.uid = status.st_uid;
  look.gid = status.st_gid;
  return look;
}

Result<bool> has_same_bytes(int one, int other, const CancelToken& cancel) {
  std::vector<std::byte> first(kBlockBytes), second(kBlockBytes);
  FdSource one_source(one), other_source(other);
  for (;;) {
    TRY(cancel.check());
    const std::size_t got = TRY(read_full(one_source, first));
    const std::size_t other_got = TRY(read_full(other_source, second));
    if (got != other_got ||
        !std::equal(first.begin(), first.begin() + static_cast<long>(got), second.begin()))
      return false;
    if (got < kBlockBytes) return true;
  }
}

class Comparison {
 public:
  Comparison(CompareOwners owners, const CancelToken& cancel) : owners_(owners), cancel_(cancel) {}

  Result<BothParts> open(const std::vector<TreeLayer>& before,
                         const std::vector<TreeLayer>& after) {
    std::map<Digest, std::size_t> known;
    BothParts parts;
    for (const std::size_t side : {0, 1}) {
      const std::vector<TreeLayer>& layers = side == 0 ? before : after;
      for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
        const auto [at, is_new] = known.emplace(layer->id, layers_.size());
        if (is_new) {
          layers_.push_back(
              {layer->id, TRY(open_file(layer->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))});
        }
        parts[side].push_back(at->second);
      }
    }
    return parts;
  }

  Result<void> compare_folder(const std::string& path, const BothParts& parts) {
    if (parts[0] == parts[1]) return {};
    for (const auto& [name, entries] : TRY(read_names(path, parts))) {
      TRY(cancel_.check());
      const std::string child = path + "/" + name;
      const std::array<Shown, 2> shown = {TRY(show(child, entries, parts[0])),
                                          TRY(show(child, entries, parts[1]))};
      TRY(compare_entry(child, shown));
      TRY(compare_folder(child, {shown[0].parts, shown[1].parts}));
    }
    return {};
  }

  /// Compares the contents that the walk left for later.
  Result<std::vector<PathChange>> finish() {
    std::vector<char> differs(waiting_.size());
    const auto compare = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
      const Waiting& pair = waiting_[i];
      const UniqueFd one = TRY(open_leaf(pair.layers[0], pair.change.path));
      const UniqueFd other = TRY(open_leaf(pair.layers[1], pair.change.path));
      differs[i] = TRY(has_same_bytes(one.get(), other.get(), cancel)) ? 0 : 1;
      return {};
    };
    TRY(for_each_parallel(waiting_.size(), usable_cores(), cancel_, compare));
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      PathChange& change = waiting_[i].change;
      change.has_other_contents = differs[i] != 0;
      if (change.has_other_contents || change.before != change.after)
        changes_.push_back(std::move(change));
    }
    std::ranges::sort(changes_, {}, &PathChange::path);
    return std::move(changes_);
  }

 private:
  struct Waiting {
    PathChange change;
    std::array<std::size_t, 2> layers;
  };
  /// By name, by layer.
  using Names = std::map<std::string, std::map<std::size_t, Entry>>;

  Result<Names> read_names(const std::string& path, const BothParts& parts) {
    std::set<std::size_t> all(parts[0].begin(), parts[0].end());
    all.insert(parts[1].begin(), parts[1].end());
    Names names;
    for (const std::size_t layer : all) {
      const UniqueFd folder = TRY(open_layer_folder(layers_[layer].root.get(), path));
      TRY(visit_names(folder, path, [&](const char* name, const struct stat& status) {
        names[name].emplace(layer, Entry{layer, status});
        return cancel_.check();
      }));
    }
    return names;
  }

  /// What the layers of one side make of a name.
  Result<Shown> show(const std::string& path, const std::map<std::size_t, Entry>& entries,
                     const Parts& parts) {
    Shown shown;
    for (auto part = parts.begin(); part != parts.end(); ++part) {
      const auto found = entries.find(*part);
      if (found == entries.end()) continue;
      const Entry& entry = found->second;
      const bool is_folder = S_ISDIR(entry.status.st_mode);
      if (shown.top == nullptr && !is_whiteout(entry.status)) shown.top = &entry;
      if (!is_folder) break;  // it hides what is below, or ends the folder above it
      shown.parts.push_back(*part);
      const bool has_more = std::any_of(part + 1, parts.end(),
                                        [&](std::size_t below) { return entries.contains(below); });
      if (!has_more) break;
      const UniqueFd folder = TRY(open_layer_folder(layers_[*part].root.get(), path));
      if (is_opaque(folder.get())) break;
    }
    return shown;
  }

  Result<void> compare_entry(const std::string& path, const std::array<Shown, 2>& shown) {
    const Entry* const one = shown[0].top;
    const Entry* const other = shown[1].top;
    if (one == nullptr && other == nullptr) return {};
    if (one != nullptr && other != nullptr && one->layer == other->layer) return {};
    PathChange change{path, {}, {}, false};
    if (one != nullptr) change.before = TRY(look(path, *one));
    if (other != nullptr) change.after = TRY(look(path, *other));
    const bool may_have_same_bytes = change.before && change.after &&
                                     change.before->kind == FileLook::Kind::File &&
                                     change.after->kind == FileLook::Kind::File;
    if (may_have_same_bytes) {
      const bool is_one_inode =
          one->status.st_ino == other->status.st_ino && one->status.st_dev == other->status.st_dev;
      if (!is_one_inode && change.before->size_bytes == change.after->size_bytes) {
        waiting_.push_back({std::move(change), {one->layer, other->layer}});
        return {};
      }
      change.has_other_contents = !is_one_inode;
    }
    if (change.before != change.after) changes_.push_back(std::move(change));
    return {};
  }

  Result<FileLook> look(const std::string& path, const Entry& entry) {
    FileLook look = look_of(entry.status);
    if (owners_ == CompareOwners::No) look.uid = look.gid = 0;
    if (look.kind != FileLook::Kind::Link) return look;
    look.target.resize(4096);
    const ssize_t size = ::readlinkat(layers_[entry.layer].root.get(), path.c_str() + 1,
                                      look.target.data(), look.target.size());
    if (size < 0) return errno_error(fmt::format("cannot read the link `{}`", path));
    look.target.resize(static_cast<std::size_t>(size));
    return look;
  }

  Result<UniqueFd> open_leaf(std::size_t layer, const std::string& path) const {
    return open_beneath(layers_[layer].root.get(), path.substr(1),
                        O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  }

  const CompareOwners owners_;
  const CancelToken& cancel_;
  std::vector<OpenLayer> layers_;
  std::vector<PathChange> changes_;
  std::vector<Waiting> waiting_;
};

}  // namespace

Result<std::vector<PathChange>> compare_trees(const std::vector<TreeLayer>& before,
                                              const std::vector<TreeLayer>& after,
                                              CompareOwners owners, const CancelToken& cancel) {
  Comparison comparison(owners, cancel);
  const BothParts parts = TRY(comparison.open(before, after));
  TRY(comparison.compare_folder("", parts));
  return comparison.finish();
}

Result<std::uint64_t> measure_tree(const std::string& folder, const CancelToken& cancel) {
  const UniqueFd root = TRY(open_file(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::uint64_t bytes = 0;
  std::set<ino_t> linked;  // more than one name
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    const UniqueFd here = TRY(open_layer_folder(root.get(), path));
    TRY(visit_names(here, path, [&](const char* name, const struct stat& status) {
      if (S_ISDIR(status.st_mode)) waiting.push_back(path + "/" + name);
      const bool is_first =
          S_ISREG(status.st_mode) && (status.st_nlink == 1 || linked.insert(status.st_ino).second);
      if (is_first) bytes += static_cast<std::uint64_t>(status.st_size);
      return cancel.check();
    }));
  }
  return bytes;
}

}  // namespace slipway::layer
