#include "layer/unpack_layer.h"

#include "layer/decompress.h"
#include "layer/stargz_toc.h"
#include "layer/tar_stream.h"

namespace slipway::layer {
namespace {

class Stoppable final : public Source {
 public:
  Stoppable(Source& next, const CancelToken& cancel) : next_(next), cancel_(cancel) {}
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    TRY(cancel_.check());
    return next_.read(buffer);
  }

 private:
  Source& next_;
  const CancelToken& cancel_;
};

}  // namespace

Result<Unpacked> unpack_layer(Source& blob, const std::string& folder, OverlayMarks marks,
                              Owners owners, const CancelToken& cancel, FindKept kept) {
  Stoppable stoppable(blob, cancel);
  Decompressed plain(stoppable);
  HashingSource hashed(plain);
  TarStream tar(hashed);
  TreeUnpacker tree = TRY(TreeUnpacker::open(folder, marks, owners));
  tree.files().hash_aside(hashed);
  tree.files().take_over(std::move(kept));
  while (const auto item = TRY(tar.next())) {
    const bool is_of_archive = item->kind == TarItem::Kind::File && is_stargz_name(item->path);
    if (!is_of_archive) TRY(tree.add(*item, tar));
  }
  TRY(tar.drain());
  Unpacked unpacked;
  unpacked.left_out = TRY(tree.finish());
  unpacked.tar_bytes = hashed.size_bytes();
  unpacked.diff_id = hashed.finish();
  return unpacked;
}

}  // namespace slipway::layer
