#include "layer/debian_entries.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>

#include "base/file.h"

namespace slipway::layer {
namespace {

class TreeReader {
 public:
  explicit TreeReader(const std::string& root) : root_(root) {}

  Result<void> read_folder(const std::string& relative) {
    for (const auto& name : TRY(list_folder(join_path(root_, relative)))) {
      const auto path = relative.empty() ? name : relative + "/" + name;
      TRY(read_one(path));
      if (entries.back().kind == EntryKind::Folder) TRY(read_folder(path));
    }
    return {};
  }

  std::vector<Entry> entries;

 private:
  Result<void> read_one(const std::string& path) {
    const auto full = join_path(root_, path);
    struct stat status {};
    if (::lstat(full.c_str(), &status) != 0) return errno_error(full);
    Entry entry;
    entry.path = path;
    entry.mode = status.st_mode & 07777U;
    entry.uid = status.st_uid;
    entry.gid = status.st_gid;
    if (S_ISDIR(status.st_mode)) {
      entry.kind = EntryKind::Folder;
    } else if (S_ISLNK(status.st_mode)) {
      entry.kind = EntryKind::Link;
      entry.mode = 0777;
      entry.link_target = TRY(read_target(full));
    } else if (S_ISREG(status.st_mode)) {
      describe_file(status, full, entry);
    } else {
      return make_error(ErrorKind::Unsupported, "`/{}` is neither file, folder nor link", path);
    }
    entries.push_back(std::move(entry));
    return {};
  }

  void describe_file(const struct stat& status, const std::string& full, Entry& entry) {
    entry.content = HostFile{full};
    if (status.st_nlink < 2) return;
    const auto key = std::pair(status.st_dev, status.st_ino);
    const auto [first, is_first] = by_inode_.emplace(key, entry.path);
    if (is_first) return;
    entry.kind = EntryKind::HardLink;
    entry.link_target = first->second;
    entry.content = std::string();
  }

  static Result<std::string> read_target(const std::string& path) {
    std::array<char, 4096> target{};
    const auto length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) return errno_error(path);
    return std::string(target.data(), static_cast<std::size_t>(length));
  }

  const std::string& root_;
  std::map<std::pair<dev_t, ino_t>, std::string> by_inode_;
};

}  // namespace

Result<std::vector<Entry>> read_tree_entries(const std::string& folder) {
  TreeReader reader(folder);
  TRY(reader.read_folder(""));
  return std::move(reader.entries);
}

}  // namespace slipway::layer
