#include "plan/read_recorder.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <thread>
#include <utility>

#include "lazy/file_system.h"
#include "lazy/folder_entries.h"
#include "plan/read_order.h"
#include "run/handover.h"

namespace slipway::plan {
namespace {

std::string order_path(const std::string& folder) { return join_path(folder, "order"); }

Result<void> serve(const std::vector<LayerFolder>& layers, const std::string& folder, UniqueFd life,
                   run::Handover& handover) {
  lazy::Tree tree;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto entries = TRY(lazy::list_folder_entries(layers[layers.size() - 1 - i].path));
    TRY(tree.add_layer(i, entries));
  }
  tree.count_links();
  std::vector<lazy::BlobPieces> none;
  lazy::Fetcher fetcher(none, {}, {.workers = 0});
  lazy::Contents contents(
      {tree, none, fetcher, std::vector<lazy::Contents::Layer>(layers.size()), folder, 1});
  lazy::FileSystem files = TRY(lazy::FileSystem::mount(tree, contents, join_path(folder, "mnt")));
  handover.say_started();
  const std::jthread watch([&] {
    char nothing = 0;
    while (::read(life.get(), &nothing, 1) < 0 && errno == EINTR) {
    }
    files.detach();
  });
  std::set<lazy::NodeId> seen;
  std::string order;
  TRY(files.serve({.on_open = [&](lazy::NodeId file) {
    if (seen.insert(file).second) order += "/" + tree.node(file).item.path + "\n";
  }}));
  return write_file(order_path(folder), order);
}

}  // namespace

ReadRecorder::ReadRecorder(ReadRecorder&& other) noexcept
    : folder_(std::move(other.folder_)),
      server_(std::exchange(other.server_, -1)),
      life_(std::move(other.life_)) {}

ReadRecorder::~ReadRecorder() { stop(); }

Result<ReadRecorder> ReadRecorder::start(const std::vector<LayerFolder>& layers,
                                         const store::Store& store) {
  TRY(lazy::check_fuse());
  TemporaryFolder folder = TRY(store.make_layer_folder());
  TRY(make_folders(join_path(folder.path(), "mnt")));
  run::Handover handover = TRY(run::Handover::create());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  UniqueFd theirs(ends[0]), ours(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot start a process that watches the run");
  if (pid == 0) {
    handover.become_stranger({theirs.get()});
    const Result<void> served = serve(layers, folder.path(), std::move(theirs), handover);
    if (!served.ok()) handover.say_error(served.error());
    ::_exit(0);
  }
  TRY_WHILE("starting to watch the run", handover.wait(pid));
  return ReadRecorder(std::move(folder), pid, std::move(ours));
}

/// The server ends once nobody has its mount any more. We may have a copy: a run leaves the mount
/// namespace in which the server is.
void ReadRecorder::stop() {
  if (server_ <= 0) return;
  ::umount2(tree().c_str(), MNT_DETACH);
  life_.reset();
  while (::waitpid(server_, nullptr, 0) < 0 && errno == EINTR) {
  }
  server_ = -1;
}

Result<std::vector<std::string>> ReadRecorder::finish() {
  stop();
  return parse_read_order(TRY(read_file(order_path(folder_.path()))));
}

}  // namespace slipway::plan
