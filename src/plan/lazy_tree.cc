#include "plan/lazy_tree.h"

#include <chrono>
#include <thread>

#include "plan/lazy_server.h"
#include "plan/stored_images.h"

namespace slipway::plan {
namespace {

using namespace std::chrono_literals;

constexpr auto kProgressEvery = 500ms;
constexpr auto kLookEvery = 20ms;  ///< whether a server has started

}  // namespace

Result<void> wait_until_served(const LazyFolder& folder, const CancelToken& cancel) {
  while (folder.is_served() && !folder.find_server()) {
    TRY(cancel.check());
    std::this_thread::sleep_for(kLookEvery);
  }
  return {};
}

Result<void> wait_for_lazy_server(const IncomingImage& image, const store::Store& store,
                                  const Tools& tools) {
  const LazyFolder folder(store, image.config.diff_ids);
  const Digest chain = oci::chain_id(image.config.diff_ids);
  if (store.has_layer(chain)) return {};
  // The link is the server's last step, after its layers are safe on the disk.
  const auto goes_on = [&] { return folder.is_served() && !folder.leads_to_merged_tree(); };
  if (!goes_on()) return {};
  LazyFolder::Progress shown = folder.read_progress();
  const auto task =
      tools.reporter.start("waiting for the lazy pull of", image.shown(), shown.all_bytes);
  tools.reporter.advance(task, shown.there_bytes);
  while (goes_on()) {
    TRY(tools.cancel.check());
    std::this_thread::sleep_for(kProgressEvery);
    const LazyFolder::Progress now = folder.read_progress();
    if (now.there_bytes <= shown.there_bytes) continue;
    tools.reporter.advance(task, now.there_bytes - shown.there_bytes);
    shown = now;
  }
  if (store.has_layer(chain)) tools.reporter.advance(task, shown.all_bytes - shown.there_bytes);
  tools.reporter.finish(task);
  return {};
}

Result<std::optional<LayerFolder>> find_lazy_tree(const StoredImage& image,
                                                  const store::Store& store, const Tools& tools) {
  const LazyFolder folder(store, image.config.diff_ids);
  if (!folder.exists()) return std::optional<LayerFolder>();
  if (!folder.is_served()) {
    // Whole all the same: it was built, or pulled once more.
    if (check_unpacked(image, store).ok()) return std::optional<LayerFolder>();
    const IncomingImage incoming = TRY(make_incoming(store, {}, image.digest));
    TRY(start_lazy_server(incoming, store, tools));
  }
  TRY(wait_until_served(folder, tools.cancel));
  if (!folder.is_shown()) {
    return make_error(ErrorKind::Unsupported,
                      "`{}` comes lazily, and another user's processes alone see what is there",
                      image.reference)
        .hint(fmt::format("`slipway pull {}` waits until it is whole", image.reference));
  }
  return std::optional(LayerFolder{oci::chain_id(image.config.diff_ids), folder.tree()});
}

}  // namespace slipway::plan
