#include "layer/tar_layer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "layer/layer_stream.h"
#include "layer/tree_writer.h"

namespace slipway::layer {
namespace {

constexpr std::uint64_t kWholeBytes = 1024 * 1024;  ///< up to here written through the page cache

Error bad_entry(const Entry& entry, std::string_view why) {
  return make_error(ErrorKind::InvalidInput, "cannot put `{}` into a layer: {}", entry.path, why);
}

bool is_plain_path(std::string_view path) {
  if (path.empty() || path.size() > 4096 || path.find('\0') != std::string_view::npos) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return false;
    begin = end + 1;
  }
  return !is_stargz_name(path);
}

bool is_hard_link(const Entry& entry) { return entry.kind == EntryKind::HardLink; }

using ByPath = std::map<std::string_view, EntryKind>;

Result<void> check_entry(const Entry& entry, const ByPath& kinds) {
  if (entry.kind == EntryKind::Link && entry.link_target.empty()) {
    return bad_entry(entry, "it is a link to nothing");
  }
  if (is_hard_link(entry)) {
    const auto target = kinds.find(entry.link_target);
    if (target == kinds.end() || target->second != EntryKind::File) {
      return bad_entry(entry, fmt::format("`{}` is no file to link to", entry.link_target));
    }
  }
  std::string_view parent = entry.path;
  for (std::size_t slash = parent.rfind('/'); slash != std::string_view::npos;
       slash = parent.rfind('/')) {
    parent = parent.substr(0, slash);
    const auto found = kinds.find(parent);
    if (found != kinds.end() && found->second != EntryKind::Folder) {
      return bad_entry(entry, fmt::format("`{}` is no folder", parent));
    }
  }
  return {};
}

/// All names of a file are equal: the first by path carries the contents, the others point to it,
/// so that nothing has to come out of order (tar programs set a folder's time when they leave it).
void put_contents_first(std::vector<Entry>& entries) {
  std::map<std::string, std::vector<Entry*>> links;  // by target, in the order of their paths
  for (Entry& entry : entries) {
    if (is_hard_link(entry)) links[entry.link_target].push_back(&entry);
  }
  for (Entry& file : entries) {
    const auto found = links.find(file.path);
    if (found == links.end() || file.kind != EntryKind::File) continue;
    Entry& first = *found->second.front();
    if (file.path < first.path) continue;
    std::swap(file.path, first.path);
    std::swap(file, first);
    for (Entry* link : found->second) {
      if (link != &first) link->link_target = first.path;
    }
    file.link_target = first.path;
  }
}

/// Engines set modes by the header of a hard link too, so it says what its file's header says; a
/// link has no mode of its own, and Linux shows 0777.
void copy_attributes(std::vector<Entry>& entries) {
  std::map<std::string_view, const Entry*> files;
  for (const Entry& entry : entries) {
    if (entry.kind == EntryKind::File) files.emplace(entry.path, &entry);
  }
  for (Entry& entry : entries) {
    if (entry.kind == EntryKind::Link) entry.mode = 0777;
    if (!is_hard_link(entry)) continue;
    const Entry& file = *files.at(entry.link_target);
    entry.mode = file.mode;
    entry.uid = file.uid;
    entry.gid = file.gid;
  }
}

/// Adds the parents that are missing, puts all in order, and refuses what no tree can be.
Result<std::vector<Entry>> arrange(std::vector<Entry> entries) {
  std::map<std::string, bool> known;
  for (const Entry& entry : entries) {
    if (!is_plain_path(entry.path)) return bad_entry(entry, "it is no path inside the image");
    if (!known.emplace(entry.path, true).second) return bad_entry(entry, "it is there twice");
  }
  const std::size_t given = entries.size();
  for (std::size_t i = 0; i < given; ++i) {
    for (std::string path = parent_path(entries[i].path); path != "."; path = parent_path(path)) {
      if (!known.emplace(path, true).second) break;
      entries.push_back({path, EntryKind::Folder, 0755, 0, 0, {}, {}});
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.path < b.path; });
  ByPath kinds;
  for (const Entry& entry : entries) kinds.emplace(entry.path, entry.kind);
  for (const Entry& entry : entries) TRY(check_entry(entry, kinds));
  put_contents_first(entries);
  copy_attributes(entries);
  return entries;
}

class Writer {
 public:
  Writer(Sink& blob, const CancelToken& cancel) : stream_(&blob, HashTar::Yes), cancel_(cancel) {}

  Result<LayerFacts> write(const std::vector<Entry>& entries, const std::string* tree_folder);

 private:
  Result<void> add(const Entry& entry);
  Result<void> add_to_tree(const Entry& entry);
  Result<void> begin_file(const Entry& entry, std::uint64_t size_bytes);
  Result<void> add_other(const Entry& entry, TarType type);
  Result<void> add_file(const Entry& entry);
  Result<void> add_host_file(const Entry& entry, const std::string& path);
  Result<void> add_large(const Entry& entry, FdSource& source, std::uint64_t size_bytes);
  Result<std::size_t> fill(FdSource& source, std::span<std::byte> buffer);

  LayerStream stream_;
  const CancelToken& cancel_;
  std::optional<TreeWriter> tree_;
  std::vector<std::byte> scratch_;
};

Result<void> Writer::begin_file(const Entry& entry, std::uint64_t size_bytes) {
  return stream_.begin_file(
      {entry.path, TarType::File, entry.mode, entry.uid, entry.gid, size_bytes, {}});
}

Result<void> Writer::add_other(const Entry& entry, TarType type) {
  TRY(stream_.add({entry.path, type, entry.mode, entry.uid, entry.gid, 0, entry.link_target}));
  return add_to_tree(entry);
}

Result<void> Writer::add_file(const Entry& entry) {
  if (const auto* host = std::get_if<HostFile>(&entry.content)) {
    return add_host_file(entry, host->path);
  }
  const Bytes text = as_bytes(std::get<std::string>(entry.content));
  TRY(begin_file(entry, text.size()));
  TRY(stream_.contents(text));
  if (tree_) return tree_->write_file(entry.path, {entry.mode, entry.uid, entry.gid}, text);
  return {};
}

/// As much as fits, or less at the end of the file.
Result<std::size_t> Writer::fill(FdSource& source, std::span<std::byte> buffer) {
  TRY(cancel_.check());
  return read_full(source, buffer);
}

Result<void> Writer::add_host_file(const Entry& entry, const std::string& path) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY | O_NOFOLLOW));
  struct stat status;
  if (::fstat(fd.get(), &status) != 0) return errno_error(fmt::format("cannot look at `{}`", path));
  if (!S_ISREG(status.st_mode)) return bad_entry(entry, fmt::format("`{}` is no file", path));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  TRY(begin_file(entry, size));
  FdSource source(fd.get());
  const auto add_contents = [&]() -> Result<void> {
    if (size > kWholeBytes) return add_large(entry, source, size);
    // One byte more shows a file that has grown.
    scratch_.resize(std::max<std::size_t>(scratch_.size(), kWholeBytes + 1));
    const std::size_t count = TRY(fill(source, std::span(scratch_).first(size + 1)));
    if (count != size) return make_error(ErrorKind::Corrupt, "its size changed meanwhile");
    const Bytes contents = Bytes(scratch_).first(count);
    TRY(stream_.contents(contents));
    if (tree_) return tree_->write_file(entry.path, {entry.mode, entry.uid, entry.gid}, contents);
    return {};
  };
  Result<void> result = add_contents();
  if (!result.ok()) return std::move(result).error().while_doing(fmt::format("reading `{}`", path));
  return {};
}

Result<void> Writer::add_large(const Entry& entry, FdSource& source, std::uint64_t size_bytes) {
  if (tree_) {
    TRY(tree_->begin_large(entry.path, {entry.mode, entry.uid, entry.gid}, size_bytes));
  } else {
    scratch_.resize(std::max<std::size_t>(scratch_.size(), kWholeBytes));
  }
  for (std::uint64_t left = size_bytes; left > 0;) {
    const std::span<std::byte> buffer = tree_ ? TRY(tree_->large().buffer()) : std::span(scratch_);
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    if (TRY(fill(source, buffer.first(wanted))) != wanted) {
      return make_error(ErrorKind::Corrupt, "its size changed meanwhile");
    }
    TRY(stream_.contents(buffer.first(wanted)));
    if (tree_) TRY(tree_->large().submit(wanted));
    left -= wanted;
  }
  std::byte more;
  if (TRY(source.read({&more, 1})) != 0) {
    return make_error(ErrorKind::Corrupt, "its size changed meanwhile");
  }
  if (tree_) return tree_->large().end(entry.mode);
  return {};
}

Result<void> Writer::add_to_tree(const Entry& entry) {
  if (!tree_) return {};
  const Attributes attributes{entry.mode, entry.uid, entry.gid};
  if (entry.kind == EntryKind::Folder) return tree_->make_folder(entry.path, attributes);
  if (entry.kind == EntryKind::Link) {
    return tree_->make_link(entry.path, entry.link_target, attributes);
  }
  return tree_->make_hard_link(entry.path, entry.link_target);
}

Result<void> Writer::add(const Entry& entry) {
  TRY(cancel_.check());
  switch (entry.kind) {
    case EntryKind::File:
      TRY(add_file(entry));
      stream_.end_file();
      return {};
    case EntryKind::Folder:
      return add_other(entry, TarType::Folder);
    case EntryKind::Link:
      return add_other(entry, TarType::Link);
    case EntryKind::HardLink:
      return add_other(entry, TarType::HardLink);
  }
  return {};
}

Result<LayerFacts> Writer::write(const std::vector<Entry>& entries,
                                 const std::string* tree_folder) {
  if (tree_folder != nullptr) tree_ = TRY(TreeWriter::open(*tree_folder));
  for (const Entry& entry : entries) TRY(add(entry));
  if (tree_) TRY(tree_->finish());
  return stream_.finish();
}

}  // namespace

Result<LayerFacts> write_layer(std::vector<Entry> entries, Sink& blob,
                               const std::string* tree_folder, const CancelToken& cancel) {
  const std::vector<Entry> arranged = TRY(arrange(std::move(entries)));
  return Writer(blob, cancel).write(arranged, tree_folder);
}

}  // namespace slipway::layer
