#include "layer/merged_tree.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "base/file.h"

namespace slipway::layer {
namespace {

/// Everything below `path` that a program can see, one line for each name.
void describe(const std::string& path, const std::string& inside, std::vector<std::string>& lines) {
  struct stat status {};
  const bool is_there = ::lstat(path.c_str(), &status) == 0;
  // An overlay lists a whiteout in a folder that one layer alone has, and then does not know it.
  if (!is_there && errno == ENOENT) return;
  REQUIRE(is_there);
  std::string what;
  char value[64];
  if (S_ISREG(status.st_mode)) what = read_file(path).value();
  if (S_ISLNK(status.st_mode)) {
    const ssize_t size = ::readlink(path.c_str(), value, sizeof value);
    REQUIRE_MESSAGE(size > 0, path, ": ", std::strerror(errno));
    what = std::string(value, static_cast<std::size_t>(size));
  } else {
    const ssize_t size = ::lgetxattr(path.c_str(), "user.colour", value, sizeof value);
    if (size > 0) what += " colour " + std::string(value, static_cast<std::size_t>(size));
  }
  lines.push_back(fmt::format("{} {:o} {}:{} {}.{} {}", inside, status.st_mode, status.st_uid,
                              status.st_gid, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, what));
  if (!S_ISDIR(status.st_mode)) return;
  const std::vector<std::string> names = list_folder(path).value();
  for (const std::string& name : names) {
    describe(join_path(path, name), inside + "/" + name, lines);
  }
}

std::vector<std::string> describe(const std::string& path) {
  std::vector<std::string> lines;
  describe(path, "", lines);
  return lines;
}

class RandomLayer {
 public:
  explicit RandomLayer(std::mt19937& random) : random_(random) {}

  void fill(const std::string& folder, int depth) {
    for (const char* name : {"a", "b", "c", "d"}) {
      const std::string path = join_path(folder, name);
      switch (pick(8)) {
        case 0:
        case 1:
          REQUIRE(write_file(path, fmt::format("{}", pick(1000)), 0600 | pick(0100)).ok());
          if (pick(2) == 0) ::setxattr(path.c_str(), "user.colour", "red", 3, 0);
          break;
        case 2:
          REQUIRE(::symlink(pick(2) == 0 ? "a" : "../b", path.c_str()) == 0);
          break;
        case 3:
          REQUIRE(::mknod(path.c_str(), S_IFCHR, makedev(0, 0)) == 0);
          break;
        case 4:
        case 5:
          if (depth == 0) break;
          REQUIRE(::mkdir(path.c_str(), 0700) == 0);
          fill(path, depth - 1);
          if (pick(4) == 0) ::setxattr(path.c_str(), "user.overlay.opaque", "y", 1, 0);
          if (pick(2) == 0) ::setxattr(path.c_str(), "user.colour", "blue", 4, 0);
          REQUIRE(::chmod(path.c_str(), 0700 | pick(0100)) == 0);
          break;
        default:
          break;
      }
      const timespec times[2] = {{pick(1000), 0}, {pick(1000), pick(1000)}};
      ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
    }
  }

 private:
  unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
  std::mt19937& random_;
};

bool mount_overlay(const std::vector<std::string>& layers, const std::string& target) {
  std::string options = "userxattr,lowerdir=";
  for (const std::string& layer : layers) options += layer + ":";
  options.pop_back();
  return ::mount("overlay", target.c_str(), "overlay", MS_RDONLY, options.c_str()) == 0;
}

/// 0: the same; 1: not the same; 77: there is no judge here.
int compare_with_kernel(unsigned seed) {
  const TemporaryFolder place = TemporaryFolder::create("/tmp").value();
  std::mt19937 random(seed);
  std::vector<std::string> layers;
  for (int i = 0; i < 4; ++i) {
    layers.push_back(fmt::format("{}/{}", place.path(), i));
    REQUIRE(make_folders(layers.back()).ok());
    RandomLayer(random).fill(layers.back(), 3);
  }
  const std::string merged = place.path() + "/merged", judge = place.path() + "/judge";
  REQUIRE(make_folders(merged).ok());
  REQUIRE(make_folders(judge).ok());
  const auto done = merge_layers(layers, merged, CancelToken());
  if (!done.ok()) {
    MESSAGE(done.error().message);
    return 1;
  }
  if (!mount_overlay(layers, judge)) return 77;
  const std::vector<std::string> ours = describe(merged), kernels = describe(judge);
  ::umount2(judge.c_str(), MNT_DETACH);
  if (ours == kernels) return 0;
  MESSAGE("seed ", seed, "\nours:\n", fmt::format("{}", fmt::join(ours, "\n")), "\nthe kernel's:\n",
          fmt::format("{}", fmt::join(kernels, "\n")));
  return 1;
}

/// Whiteouts and mounts are for root, and for the root of a user's own namespace.
bool become_root_of_mounts() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWNS | (user == 0 ? 0 : CLONE_NEWUSER)) != 0) return false;
  if (user != 0) {
    const auto write = [](const char* path, const std::string& text) {
      const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
      return ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    };
    if (!write("/proc/self/setgroups", "deny") ||
        !write("/proc/self/uid_map", fmt::format("0 {} 1", user)) ||
        !write("/proc/self/gid_map", fmt::format("0 {} 1", group))) {
      return false;
    }
  }
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

std::string make_layer(const TemporaryFolder& place, const char* name) {
  const std::string path = join_path(place.path(), name);
  REQUIRE(make_folders(path).ok());
  return path;
}

}  // namespace

TEST_CASE("a merged tree is what the kernel's overlay shows of the same layers") {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (!become_root_of_mounts()) ::_exit(77);
    int result = 0;
    for (unsigned seed = 1; seed <= 40 && result == 0; ++seed) result = compare_with_kernel(seed);
    ::_exit(result);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) {
    MESSAGE("not compared: no overlay can be mounted here");
    return;
  }
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("files are shared with the layers, folders are not") {
  const TemporaryFolder place = TemporaryFolder::create("/tmp").value();
  const std::string top = make_layer(place, "top"), low = make_layer(place, "low"),
                    merged = make_layer(place, "merged");
  REQUIRE(make_folders(low + "/usr/lib").ok());
  REQUIRE(make_folders(top + "/usr").ok());
  REQUIRE(write_file(low + "/usr/lib/libm.so", "m").ok());
  REQUIRE(write_file(top + "/usr/new", "n").ok());
  REQUIRE(merge_layers({top, low}, merged, CancelToken()).ok());
  struct stat in_layer {
  }, in_tree{};
  REQUIRE(::stat((low + "/usr/lib/libm.so").c_str(), &in_layer) == 0);
  REQUIRE(::stat((merged + "/usr/lib/libm.so").c_str(), &in_tree) == 0);
  CHECK(in_layer.st_ino == in_tree.st_ino);
  REQUIRE(write_file(merged + "/usr/lib/mine", "x").ok());
  CHECK_FALSE(path_exists(low + "/usr/lib/mine"));
  CHECK(read_file(merged + "/usr/new").value() == "n");
}

TEST_CASE("a file with as many names as it can have is copied") {
  const TemporaryFolder place = TemporaryFolder::create("/tmp").value();
  const std::string layer = make_layer(place, "layer"), names = make_layer(place, "names"),
                    merged = make_layer(place, "merged");
  const std::string file = layer + "/shared";
  REQUIRE(write_file(file, "text", 0640).ok());
  const timespec times[2] = {{5, 0}, {7, 8}};
  REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
  // 65000 on ext4; a file system that takes more than that shows nothing here.
  int count = 0;
  while (count < 70000 && ::link(file.c_str(), fmt::format("{}/{}", names, count).c_str()) == 0) {
    ++count;
  }
  if (count == 70000) {
    MESSAGE("not shown: this file system has no such limit");
    return;
  }
  REQUIRE(merge_layers({layer}, merged, CancelToken()).ok());
  CHECK(describe(merged + "/shared") == describe(file));
  struct stat in_layer {
  }, in_tree{};
  REQUIRE(::stat(file.c_str(), &in_layer) == 0);
  REQUIRE(::stat((merged + "/shared").c_str(), &in_tree) == 0);
  CHECK(in_layer.st_ino != in_tree.st_ino);
}

TEST_CASE("what stops a merge is told") {
  const TemporaryFolder place = TemporaryFolder::create("/tmp").value();
  const std::string layer = make_layer(place, "layer"), merged = make_layer(place, "merged");
  REQUIRE(write_file(layer + "/a", "1").ok());
  CancelToken cancel;
  cancel.cancel();
  CHECK(merge_layers({layer}, merged, cancel).error().kind == ErrorKind::Cancelled);
  CHECK(merge_layers({layer, place.path() + "/none"}, merged, CancelToken()).error().kind ==
        ErrorKind::NotFound);
  // Not empty: what is there already is somebody else's.
  REQUIRE(write_file(merged + "/a", "2").ok());
  const auto refused = merge_layers({layer}, merged, CancelToken());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("`/a`") != std::string::npos);
  CHECK(read_file(merged + "/a").value() == "2");
}

}  // namespace slipway::layer
