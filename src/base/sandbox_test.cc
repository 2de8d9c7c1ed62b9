#include "base/sandbox.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>

#include "base/file.h"
#include "base/sandbox_overlay.h"
#include "base/sandbox_room.h"
#include "base/threads.h"

namespace slipway {
namespace {

/// The host's own programs as the tree: /usr bound read-only into an empty root.
struct Room1 {
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "sandbox-test").value();
  SandboxRequest request;

  explicit Room1(const std::string& script) {
    request.root = folder.path() + "/root";
    REQUIRE(make_folders(request.root).ok());
    for (const char* link : {"bin", "lib", "lib64", "sbin"}) {
      REQUIRE(::symlink((std::string("usr/") + link).c_str(),
                        join_path(request.root, link).c_str()) == 0);
    }
    request.binds.push_back({"/usr", "/usr", {}});
    request.arguments = {"/bin/sh", "-c", script};
    request.environment = {"PATH=/usr/bin:/usr/sbin", "ONLY=this"};
  }
};

/// Without fsync(2), which many small files would wait for.
void write_quickly(const std::string& path, std::string_view text) {
  const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT).value();
  REQUIRE(FdSink(fd.get()).write(as_bytes(text)).ok());
}

bool is_root() { return ::geteuid() == 0; }

TEST_CASE("the program sees its own world only") {
  if (!is_root()) return;
  struct Case {
    const char* name;
    const char* script;
    int status;
    const char* output;
  };
  const std::vector<Case> cases = {
      {"status", "exit 3", 3, ""},
      {"killed", "kill -9 $$", 137, ""},
      {"environment", "env -u PWD | grep -v ^_= | sort", 0, "ONLY=this\nPATH=/usr/bin:/usr/sbin\n"},
      {"processes", "set -- /proc/[0-9]*; echo $#", 0, "2\n"},
      {"host name", "uname -n", 0, "slipway\n"},
      {"network", "grep -c : /proc/net/dev", 0, "1\n"},
      {"no /sys", "ls /sys", 2, ""},
      {"descriptors", "ls /proc/self/fd", 0, "0\n1\n2\n3\n"},  // 3 is what ls opened
      {"dev", "cd /dev; echo *", 0,
       "fd full null random shm stderr stdin stdout tty urandom zero\n"},
      {"null is a device", "echo x > /dev/null && head -c 3 /dev/zero | wc -c", 0, "3\n"},
      {"bind is read-only", "touch /usr/x 2>/dev/null || echo no", 0, "no\n"},
      {"only our mounts", "cut -d' ' -f5 /proc/self/mountinfo | grep -vc -e '^/dev' -e '^/usr$'", 0,
       "2\n"},
      {"root is writable", "echo hi > /made && cat /made", 0, "hi\n"},
      {"no terminal", "exec 2>/dev/null; : < /dev/tty || echo none", 2, ""},
  };
  const UniqueFd leak(::open("/", O_RDONLY));  // NOLINT: without O_CLOEXEC on purpose
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Room1 room(c.script);
    const Result<ProcessResult> result = run_in_sandbox(room.request, {});
    REQUIRE_MESSAGE(result.ok(), result.error().message);
    CAPTURE(result->error_output);
    CHECK(result->status == c.status);
    CHECK(result->output == c.output);
  }
}

TEST_CASE("input, working folder, fresh /tmp") {
  if (!is_root()) return;
  Room1 room("pwd; cat; touch /tmp/x; ls /tmp");
  room.request.input = std::string(300000, 'a') + "\n";
  room.request.working_folder = "/usr/bin";
  room.request.tmp = SandboxRequest::Tmp::Fresh;
  const Result<ProcessResult> result = run_in_sandbox(room.request, {});
  REQUIRE(result.ok());
  CHECK(result->output == "/usr/bin\n" + room.request.input + "x\n");
  CHECK(list_folder(room.request.root + "/tmp")->empty());
}

TEST_CASE("what cannot be run has the status of a shell") {
  if (!is_root()) return;
  Room1 missing("");
  missing.request.arguments = {"/bin/nothing"};
  Result<ProcessResult> result = run_in_sandbox(missing.request, {});
  REQUIRE(result.ok());
  CHECK(result->status == 127);
  CHECK(result->error_output.find("/bin/nothing") != std::string::npos);
  missing.request.arguments = {"/usr"};
  result = run_in_sandbox(missing.request, {});
  REQUIRE(result.ok());
  CHECK(result->status == 126);
}

TEST_CASE("a link in the tree cannot lead a mount out of it") {
  if (!is_root()) return;
  Room1 room("cat /escape/file; ls /proc/self/status");
  const std::string outside = room.folder.path() + "/outside";
  const std::string given = room.folder.path() + "/given";
  REQUIRE(make_folders(outside).ok());
  REQUIRE(make_folders(given).ok());
  REQUIRE(write_file(given + "/file", "given\n").ok());
  REQUIRE(::symlink(outside.c_str(), (room.request.root + "/escape").c_str()) == 0);
  REQUIRE(::symlink(outside.c_str(), (room.request.root + "/dev").c_str()) == 0);
  room.request.binds.push_back({given, "/escape", {}});
  const Result<ProcessResult> result = run_in_sandbox(room.request, {});
  CHECK(!result.ok());  // `outside` does not exist in the tree
  CHECK(list_folder(outside)->empty());
}

TEST_CASE("nothing that the program started lives on") {
  if (!is_root()) return;
  Room1 room("(sleep 1000; touch /late) & echo started");
  const Result<ProcessResult> result = run_in_sandbox(room.request, {});
  REQUIRE(result.ok());
  CHECK(result->output == "started\n");
}

TEST_CASE("a program may close its outputs and go on") {
  if (!is_root()) return;
  Room1 room("exec >&- 2>&-; cat > /late; exit 5");
  room.request.input = "still here";
  const Result<ProcessResult> result = run_in_sandbox(room.request, {});
  REQUIRE(result.ok());
  CHECK(result->status == 5);
  CHECK(read_file(room.request.root + "/late").value() == "still here");
}

TEST_CASE("a program that leaves nothing behind is found out") {
  if (!is_root()) return;
  RoomRequest request;
  request.arguments = {"/bin/true"};
  request.left_behind = RoomRequest::LeftBehind{{}, "/no/such/pid", -1};
  Result<Room> room = Room::start(request);
  REQUIRE(room.ok());
  room->signal(SIGTERM);  // there is nobody to pass it on to
  const RoomEnd end = room->wait();
  CHECK(end.kind == RoomEnd::Kind::NothingLeft);
  CHECK(room_error(end, request).message.find("`/bin/true`") != std::string::npos);
}

TEST_CASE("cancel kills all of it") {
  if (!is_root()) return;
  Room1 room("trap '' TERM INT; sleep 1000");
  CancelToken cancel;
  std::atomic<bool> is_cancelled{false};
  // The second worker cancels while the first waits.
  const Result<void> both = for_each_parallel(2, 2, {}, [&](std::size_t i) -> Result<void> {
    if (i == 1) {
      cancel.cancel();
      return {};
    }
    const Result<ProcessResult> result = run_in_sandbox(room.request, cancel);
    is_cancelled = !result.ok() && result.error().kind == ErrorKind::Cancelled;
    return {};
  });
  CHECK(both.ok());
  CHECK(is_cancelled);
}

TEST_CASE("many at once") {
  if (!is_root()) return;
  const Result<void> all = for_each_parallel(24, 8, {}, [&](std::size_t i) -> Result<void> {
    Room1 room(fmt::format("echo {}", i));
    const ProcessResult result = TRY(run_in_sandbox(room.request, {}));
    if (result.output == fmt::format("{}\n", i)) return {};
    return make_error(ErrorKind::Io, "said {}", result.output);
  });
  CHECK_MESSAGE(all.ok(), (all.ok() ? "" : all.error().message));
}

TEST_CASE("an overlay of many folders, by both ways") {
  if (!is_root()) return;
  for (const bool has_upper : {true, false}) {
    CAPTURE(has_upper);
    Room1 room("cat /top /file7; echo new > /file8; exit 0");
    const std::string tree = room.request.root;
    SandboxOverlay overlay;
    overlay.lowers.push_back(tree);
    for (int i = 0; i < 90; ++i) {
      const std::string lower = fmt::format("{}/{}-{:0>64}", room.folder.path(), i, "");
      REQUIRE(make_folders(lower + "/proc").ok());
      REQUIRE(make_folders(lower + "/dev").ok());
      REQUIRE(make_folders(lower + "/usr").ok());
      write_quickly(lower + "/top", fmt::format("{}\n", i));
      write_quickly(lower + fmt::format("/file{}", i), fmt::format("file {}\n", i));
      overlay.lowers.push_back(lower);
    }
    if (has_upper) {
      overlay.upper = room.folder.path() + "/upper";
      overlay.work = room.folder.path() + "/work";
      REQUIRE(make_folders(overlay.upper).ok());
      REQUIRE(make_folders(overlay.work).ok());
    }
    room.request.root = room.folder.path() + "/merged";
    REQUIRE(make_folders(room.request.root).ok());
    room.request.overlay.push_back(overlay);
    for (int round = 0; round < 2; ++round) {  // the same upper can be used again
      const Result<ProcessResult> result = run_in_sandbox(room.request, {});
      REQUIRE_MESSAGE(result.ok(), result.error().message);
      CHECK(result->output == "0\nfile 7\n");
    }
    if (has_upper) CHECK(read_file(overlay.upper + "/file8").value() == "new\n");
  }
}

TEST_CASE("the options of a hundred layers fit one page") {
  CHECK(short_overlay_options(3, true, true) == "lowerdir=0:1:2,upperdir=u,workdir=w,userxattr");
  CHECK(short_overlay_options(2, false, false) == "lowerdir=0:1");
  CHECK(short_overlay_options(500, true, true).size() < 4096);
}

TEST_CASE("what is missing is named") {
  if (!is_root()) return;
  Room1 room("true");
  room.request.binds.push_back({"/no/such/folder", "/x", {}});
  const Result<ProcessResult> result = run_in_sandbox(room.request, {});
  REQUIRE(!result.ok());
  CHECK(result.error().kind == ErrorKind::NotFound);
  CHECK(result.error().message.find("/no/such/folder") != std::string::npos);
}

}  // namespace
}  // namespace slipway
