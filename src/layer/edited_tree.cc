#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "layer/file_looks.h"
#include "layer/layer_edits.h"
#include "layer/merged_tree.h"

namespace slipway::layer {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr std::uint64_t kPieceBytes = 1 << 20;

Error failed(const char* what, const std::string& path) {
  return errno_error(fmt::format("cannot {} `{}`", what, path));
}

class TreeEditor {
 public:
  TreeEditor(UniqueFd root, const CancelToken& cancel) : root_(std::move(root)), cancel_(cancel) {}

  Result<void> edit(const std::string& path, const FileEdit& edit) {
    const UniqueFd folder = TRY(open_beneath(root_.get(), parent_path(path), kFolderFlags, 0));
    struct stat times {};
    if (::fstat(folder.get(), &times) != 0) return failed("look at", path);
    const std::string name = base_name(path);
    const UniqueFd old = TRY(open_beneath(folder.get(), name, O_RDONLY | O_NOFOLLOW, 0));
    struct stat status {};
    if (::fstat(old.get(), &status) != 0 || !S_ISREG(status.st_mode))
      return make_error(ErrorKind::NotFound, "`{}` is no file of the layer", path);
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0) return failed("replace", path);
    if (!std::holds_alternative<Remove>(edit)) {
      const UniqueFd made(
          ::openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (!made) return failed("make", path);
      TRY(fill(old.get(), made.get(), edit, path));
      TRY(copy_looks(old.get(), made.get(), OverlayAttributes::Keep, path));
    }
    return set_times(folder.get(), times, path);
  }

 private:
  Result<void> fill(int old, int made, const FileEdit& edit, const std::string& path) {
    if (const auto* rewrite = std::get_if<Rewrite>(&edit))
      return write_at(made, as_bytes(rewrite->contents), 0, path);
    const MappedFile map = TRY(MappedFile::of(old));
    const Bytes file = map.bytes();
    // What is not written takes no room, and reads as zeros.
    if (::ftruncate(made, static_cast<off_t>(file.size())) != 0) return failed("make", path);
    const auto write = [&](std::uint64_t offset, Bytes bytes) {
      return write_pieces(made, bytes, offset, path);
    };
    const auto leave = [](std::uint64_t, std::uint64_t) -> Result<void> { return {}; };
    return visit_patched(file, std::get<Patch>(edit), write, leave);
  }

  Result<void> write_pieces(int made, Bytes bytes, std::uint64_t offset, const std::string& path) {
    while (!bytes.empty()) {
      TRY(cancel_.check());
      const std::size_t count = std::min<std::size_t>(bytes.size(), kPieceBytes);
      TRY(write_at(made, bytes.first(count), offset, path));
      bytes = bytes.subspan(count);
      offset += count;
    }
    return {};
  }

  UniqueFd root_;
  const CancelToken& cancel_;
};

}  // namespace

Result<void> write_edited_tree(const std::string& tree, const std::string& target,
                               const LayerEdits& edits, const CancelToken& cancel) {
  TRY(clone_layer(tree, target, cancel));
  TreeEditor editor(TRY(open_file(target, kFolderFlags)), cancel);
  for (const auto& [path, edit] : edits) TRY(editor.edit(path, edit));
  return {};
}

}  // namespace slipway::layer
