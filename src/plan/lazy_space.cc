#include "plan/lazy_space.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/joined_namespace.h"
#include "plan/lazy_folder.h"
#include "plan/lazy_server.h"
#include "plan/lazy_tree.h"
#include "plan/run_image.h"
#include "run/handover.h"

namespace slipway::plan {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 50ms;
/// A server that takes the lock removes what the one before it has left about itself.
constexpr int kMostLooks = 40;
constexpr int kMostStarts = 3;

/// As find_image_tree and find_lazy_tree see it: while somebody serves an image, its layers are
/// used by way of him until they are merged.
bool is_whole(const StoredImage& image, const LazyFolder& folder, const store::Store& store) {
  return store.has_layer(oci::chain_id(image.config.diff_ids)) ||
         (!folder.is_served() && check_unpacked(image, store).ok());
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
  if (!image.config.diff_ids.empty() && folder.exists() && !is_whole(image, folder, store)) {
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
    if (is_whole(image, folder, store)) return std::optional<store::Owner>();
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

Result<ImageIds> find_ids_through_server(const StoredImage& image, const std::string& user,
                                         const Tools& tools) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  run::Handover handover = TRY(run::Handover::create());
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot start a process that looks into the image");
  if (pid == 0) {
    handover.become_child();
    const Result<std::optional<store::Owner>> joined = join_lazy_server(image, tools);
    const Result<ImageIds> ids = joined.ok() ? find_image_ids(image, user, tools) : joined.error();
    if (ids.ok()) {
      (void)!::write(theirs.get(), &*ids, sizeof *ids);
      handover.say_started();
    } else {
      handover.say_error(ids.error());
    }
    ::_exit(0);
  }
  theirs.reset();
  TRY(handover.wait(pid));
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  ImageIds ids;
  if (::read(ours.get(), &ids, sizeof ids) == static_cast<ssize_t>(sizeof ids)) return ids;
  return errno_error("cannot read what another process has found");
}

}  // namespace slipway::plan
