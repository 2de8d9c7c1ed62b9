#include "plan/lazy_pull.h"

#include <unistd.h>

#include <atomic>

#include "base/file.h"
#include "base/threads.h"
#include "lazy/fuse_trial.h"
#include "plan/lazy_folder.h"
#include "plan/lazy_ids.h"
#include "plan/lazy_server.h"
#include "plan/lazy_table.h"
#include "plan/pull_image.h"
#include "plan/read_order.h"

namespace slipway::plan {
namespace {

constexpr std::size_t kParallelTables = 6;

class LazyPull {
 public:
  LazyPull(const ImagePlace& place, const store::Store& store, registry::Registry& registry,
           const Tools& tools, LazyIncoming& result)
      : place_(place), store_(store), registry_(registry), tools_(tools), result_(result) {}

  Result<void> run(registry::Trust trust, const std::optional<Digest>& digest) {
    std::vector<IncomingImage>& images = result_.incoming.images;
    images.push_back(TRY(fetch_image_head(place_, digest, store_, registry_, tools_)));
    const IncomingImage& image = images.front();
    const LazyFolder folder(store_, image.config.diff_ids);
    TRY(folder.make());
    TRY(fetch_tables(folder));
    std::string order;
    for (const std::string& path :
         TRY(fetch_read_order(registry_, place_.repository, image.digest, tools_.cancel))) {
      order += path + "\n";
    }
    TRY(write_file(folder.inside("order"), order));
    const auto is_whole = [&](std::size_t i) { return !is_lazy_[i]; };
    const auto unpack = [&](std::size_t i, const Tools& with_cancel) -> Result<void> {
      // Others than root enter a namespace first: then the server unpacks it before it serves.
      if (::geteuid() != 0 || !is_whole(i)) return {};
      return unpack_incoming_layer(store_, image, i, with_cancel);
    };
    const auto is_wanted = [&](std::size_t i) {
      return is_whole(i) && !store_.has_layer(image.config.diff_ids[i]);
    };
    const auto fetched = TRY(fetch_image_layers(place_, image, store_, registry_, tools_,
                                                LayerSteps{is_wanted, unpack}));
    result_.incoming.fetched_layers = fetched.count;
    result_.incoming.fetched_bytes = fetched.bytes;
    const auto unpack_it = [&](std::size_t i, const CancelToken&) { return unpack(i, tools_); };
    TRY(for_each_parallel(image.manifest.layers.size(), usable_cores(), tools_.cancel, unpack_it));
    if (!folder.is_served()) TRY(write_record(folder, trust));
    result_.incoming.signatures =
        TRY(fetch_its_signatures(place_, image.digest, store_, registry_, tools_));
    return {};
  }

 private:
  const IncomingImage& image() const { return result_.incoming.images.front(); }

  Result<void> write_record(const LazyFolder& folder, registry::Trust trust) {
    if (result_.lazy_layers == 0) return folder.remove_parts();
    const auto fetch = [&](std::size_t layer, std::uint64_t first, std::uint64_t bytes,
                           const CancelToken& cancel) {
      return registry_.fetch_range(place_.repository, image().manifest.layers[layer], first, bytes,
                                   cancel);
    };
    const ImageIds ids = TRY_WHILE("looking for the image's user",
                                   find_lazy_ids(image(), folder, store_, fetch, tools_.cancel));
    return folder.write_record({image().names.front().text(), trust, image().digest, ids});
  }

  Result<void> fetch_tables(const LazyFolder& folder) {
    const auto& layers = image().manifest.layers;
    const auto task =
        tools_.reporter.start("fetching the tables of contents of", image().shown(), 0);
    is_lazy_ = std::vector<std::atomic<bool>>(layers.size());
    const auto fetch = [&](std::size_t i, const CancelToken& cancel) -> Result<void> {
      if (store_.has_layer(image().config.diff_ids[i]) || store_.has_blob(layers[i].digest)) {
        return {};
      }
      const auto table = fetch_lazy_table(registry_, place_.repository, layers[i], cancel);
      // Then it comes whole.
      if (!table.ok() && table.error().kind == ErrorKind::Unsupported) return {};
      if (!table.ok()) return table.error();
      is_lazy_[i] = true;
      return folder.write_table(layers[i].digest, table->toc_offset, table->text);
    };
    TRY(for_each_parallel(layers.size(), kParallelTables, tools_.cancel, fetch));
    tools_.reporter.finish(task);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (!is_lazy_[i]) continue;
      ++result_.lazy_layers;
      result_.lazy_bytes += layers[i].size_bytes;
    }
    return {};
  }

  const ImagePlace& place_;
  const store::Store& store_;
  registry::Registry& registry_;
  const Tools& tools_;
  LazyIncoming& result_;
  std::vector<std::atomic<bool>> is_lazy_;
};

}  // namespace

std::optional<Error> find_lazy_obstacle() {
  const Result<void> tried = lazy::try_fuse();
  if (tried.ok()) return std::nullopt;
  return tried.error();
}

Result<LazyIncoming> pull_lazily(const ImagePlace& place, registry::Trust trust,
                                 const std::optional<Digest>& digest, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  LazyIncoming result{{TRY(store.lease(tools.reporter, tools.cancel)), {}, 0, 0, 0}, 0, 0};
  const auto pull = [&]() -> Result<void> {
    registry::Registry registry = TRY(registry::Registry::open(place.host, {}, tools.cancel));
    return LazyPull(place, store, registry, tools, result).run(trust, digest);
  };
  // The registry's threads have ended before the server is forked.
  TRY_WHILE(fmt::format("pulling `{}`", place.name.text()), pull());
  if (result.lazy_layers == 0) return result;
  const IncomingImage& image = result.incoming.images.front();
  TRY(start_lazy_server(image, store, tools));
  for (const store::ImageName& name : image.names) TRY(store.set_image(name, image.digest));
  return result;
}

}  // namespace slipway::plan
