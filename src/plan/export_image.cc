#include "plan/export_image.h"

#include <fcntl.h>

#include "base/file.h"
#include "layer/compress.h"
#include "layer/tree_archive.h"
#include "plan/image_tree.h"
#include "registry/blob_stream.h"

namespace slipway::plan {
namespace {

Result<void> write_root(const std::string& folder, oci::LayerCompression compression, Sink& out,
                        const CancelToken& cancel) {
  if (compression == oci::LayerCompression::None) {
    return layer::write_tree_archive(folder, out, cancel);
  }
  registry::BlobStream tar(
      [&](Sink& sink) { return layer::write_tree_archive(folder, sink, cancel); }, 0);
  return layer::compress(tar, compression, out, cancel);
}

}  // namespace

Result<void> export_image(const StoredImage& image, oci::LayerCompression compression,
                          const std::string& path, const Tools& tools) {
  if (path != "-" && is_folder(path)) {
    return make_error(ErrorKind::InvalidInput, "`{}` is a folder, and an export is a tar file",
                      path)
        .hint("`slipway export IMAGE | tar -x -C FOLDER` fills a folder");
  }
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const std::vector<LayerFolder> folders = TRY(find_image_tree(image, store, tools));
  if (folders.size() != 1) {
    return make_error(ErrorKind::Io, "the layers of `{}` could not be merged into one tree",
                      image.reference);
  }
  const std::string& root = folders.front().path;
  if (path == "-") {
    FdSink out(1);
    return write_root(root, compression, out, tools.cancel);
  }
  const std::string target = TRY(absolute_path(path));
  const TemporaryFolder work = TRY(TemporaryFolder::create(parent_path(target), ".slipway-export"));
  const std::string partial = join_path(work.path(), "root.tar");
  const UniqueFd fd = TRY(open_file(partial, O_WRONLY | O_CREAT | O_EXCL));
  FdSink out(fd.get());
  TRY_WHILE(fmt::format("exporting `{}` to `{}`", image.reference, path),
            write_root(root, compression, out, tools.cancel));
  if (::fchown(fd.get(), tools.owner.uid, tools.owner.gid) != 0) {
    return errno_error(fmt::format("cannot give `{}` to its owner", path));
  }
  return rename_path(partial, target);
}

}  // namespace slipway::plan
