#include "plan/lazy_space.h"

#include <chrono>
#include <thread>

#include "base/joined_namespace.h"
#include "plan/lazy_folder.h"
#include "plan/lazy_server.h"
#include "plan/run_image.h"

namespace slipway::plan {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 50ms;
/// A server that takes the lock removes what the one before it has left about itself.
constexpr int kMostLooks = 40;
constexpr int kMostStarts = 3;

bool is_whole(const StoredImage& image, const store::Store& store) {
  return store.has_layer(oci::chain_id(image.config.diff_ids)) || check_unpacked(image, store).ok();
}

Error out_of_reach(const StoredImage& image) {
  return make_error(ErrorKind::Unsupported,
                    "`{}` comes lazily, and the process that serves it cannot be seen from here",
                    image.reference)
      .reason("it may run in another container")
      .hint(fmt::format("`slipway pull {}` waits until the image is whole", image.reference));
}

/// Nothing where the server has ended meanwhile.
Result<std::optional<store::Owner>> join(const LazyServerMark& server, const LazyFolder& folder) {
  const auto namespaces = TRY(open_namespaces(server.process));
  if (!namespaces) return std::optional<store::Owner>();
  TRY(join_user_namespace(namespaces->user));
  const Result<void> borrowed = borrow_mount(namespaces->mounts, folder.inside("mnt"));
  // Where the image has just become whole, its tree is in the store, and the mount may be gone.
  if (!borrowed.ok() && !folder.is_shown()) return borrowed.error();
  return std::optional(server.owner);
}

}  // namespace

Result<ImageSpace> find_image_space(const StoredImage& image, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const LazyFolder folder(store, image.config.diff_ids);
  ImageSpace space;
  std::optional<ImageIds> ids;
  if (!image.config.diff_ids.empty() && folder.exists() && !is_whole(image, store)) {
    space.lazy = oci::chain_id(image.config.diff_ids);
    ids = TRY(folder.read_record()).ids;
  }
  space.ids = ids ? *ids : TRY(find_image_ids(image, image.config.user, tools));
  return space;
}

Result<std::optional<store::Owner>> join_lazy_server(const StoredImage& image, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const LazyFolder folder(store, image.config.diff_ids);
  int starts = 0;
  for (int looks = 0; looks < kMostLooks; ++looks) {
    TRY(tools.cancel.check());
    if (is_whole(image, store)) return std::optional<store::Owner>();
    if (!folder.is_served() && starts++ < kMostStarts) {
      const IncomingImage incoming = TRY(make_incoming(store, {}, image.digest));
      TRY(start_lazy_server(incoming, store, tools));
    }
    TRY(wait_until_served(folder, tools.cancel));
    if (const auto server = folder.find_server(); server && folder.is_served()) {
      if (const auto owner = TRY(join(*server, folder))) return owner;
    }
    std::this_thread::sleep_for(kPause);
  }
  return out_of_reach(image);
}

}  // namespace slipway::plan
