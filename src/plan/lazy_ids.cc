#include "plan/lazy_ids.h"

#include <future>

#include "base/file.h"
#include "lazy/contents.h"
#include "lazy/stargz_index.h"

namespace slipway::plan {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookEvery = 100ms;  ///< whether it was cancelled

/// One file of a blob that comes in pieces.
Result<std::string> fetch_text(const lazy::Entry& entry, std::vector<lazy::BlobPieces>& blobs,
                               lazy::Fetcher& fetcher, const LazyFolder& folder,
                               const CancelToken& cancel) {
  if (entry.item.size_bytes > RecordFiles::kMostBytes) {
    return make_error(ErrorKind::Corrupt, "`{}` is larger than any real one", entry.item.path);
  }
  lazy::Tree tree;
  TRY(tree.add_layer(0, {entry}));
  const auto file = tree.resolve(entry.item.path);
  SLIPWAY_CHECK(file);
  std::promise<Result<UniqueFd>> opened;
  std::future<Result<UniqueFd>> future = opened.get_future();
  {
    lazy::Contents contents({tree, blobs, fetcher, {{}}, folder.inside("files")});
    contents.open(*file, [&](Result<UniqueFd> got) { opened.set_value(std::move(got)); });
    while (future.wait_for(kLookEvery) != std::future_status::ready) TRY(cancel.check());
  }
  const UniqueFd fd = TRY(future.get());
  FdSource source(fd.get());
  StringSink text;
  TRY(copy(source, text));
  return std::move(text.text);
}

Result<void> read_lazy_layer(const oci::Descriptor& layer, const LazyFolder& folder,
                             const lazy::Fetcher::FetchRange& fetch, const CancelToken& cancel,
                             RecordFiles& files) {
  const LazyFolder::Table table = TRY(folder.read_table(layer.digest));
  std::vector<lazy::BlobPieces> blobs;
  for (const lazy::Entry& entry : TRY(lazy::parse_stargz_index(table.text, table.toc_offset))) {
    const bool is_file = entry.item.kind == layer::TarItem::Kind::File;
    if (!is_file || !RecordFiles::is_wanted(entry.item.path) || files.has(entry.item.path))
      continue;
    if (blobs.empty()) {
      blobs.push_back(TRY(
          lazy::BlobPieces::open(folder.inside("blobs/" + layer.digest.hex()), layer.size_bytes)));
    }
    lazy::Fetcher fetcher(blobs, fetch, {});
    files.add(entry.item.path, TRY(fetch_text(entry, blobs, fetcher, folder, cancel)));
  }
  return {};
}

}  // namespace

Result<ImageIds> find_lazy_ids(const IncomingImage& image, const LazyFolder& folder,
                               const store::Store& store, const lazy::Fetcher::FetchRange& fetch,
                               const CancelToken& cancel) {
  if (const auto ids = find_numeric_ids(image.config.user)) return *ids;
  RecordFiles files;
  for (std::size_t i = image.manifest.layers.size(); i-- > 0 && !files.is_complete();) {
    const oci::Descriptor& layer = image.manifest.layers[i];
    if (store.has_layer(image.config.diff_ids[i]) || store.has_blob(layer.digest)) {
      TRY(read_records_of_layer(image, i, store, cancel, files));
      continue;
    }
    const auto fetch_of_layer = [&](std::size_t, std::uint64_t first, std::uint64_t bytes,
                                    const CancelToken& with_cancel) {
      return fetch(i, first, bytes, with_cancel);
    };
    TRY(read_lazy_layer(layer, folder, fetch_of_layer, cancel, files));
  }
  return find_ids(image.config.user, files.passwd(), files.group(), image.shown());
}

}  // namespace slipway::plan
