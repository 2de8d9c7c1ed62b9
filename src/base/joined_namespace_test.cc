#include "base/joined_namespace.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/file.h"
#include "base/user_namespace.h"

namespace slipway {
namespace {

constexpr int kNotHere = 77;

/// A process of its own with one thread; its status.
template <typename Body>
int in_child(const Body& body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool enter() {
  UserNamespaceRequest request;
  request.ids = UserNamespaceRequest::Ids::OneIsEnough;
  request.mounts = UserNamespaceRequest::Mounts::Private;
  return enter_user_namespace(request).ok();
}

}  // namespace

TEST_CASE("a process is known by its number and its start") {
  const std::string mark = own_process_mark().value();
  CHECK(mark.starts_with(fmt::format("{} ", ::getpid())));
  CHECK(mark == own_process_mark().value());
  const auto found = open_namespaces(mark);
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->user);
  CHECK((*found)->mounts);
  const std::string pid = fmt::format("{}", ::getpid());
  for (const std::string& other :
       {mark + "0", pid, pid + " ", pid + " 1", std::string(), std::string(" 1"),
        std::string("self 1"), std::string("../1 1")}) {
    CAPTURE(other);
    const auto none = open_namespaces(other);
    REQUIRE(none.ok());
    CHECK_FALSE(none->has_value());
  }
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  in_child([&] {
    const std::string its = own_process_mark().value();
    return ::write(ends[1], its.data(), its.size()) > 0 ? 0 : 1;
  });
  char its[64];
  const ssize_t size = ::read(ends[0], its, sizeof its);
  REQUIRE(size > 0);
  const auto gone = open_namespaces(std::string_view(its, static_cast<std::size_t>(size)));
  REQUIRE(gone.ok());
  CHECK_FALSE(gone->has_value());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("what another process has mounted is seen by who joins it, and by nobody else") {
  const TemporaryFolder folder = TemporaryFolder::create("/var/tmp", "joined").value();
  const std::string place = join_path(folder.path(), "place");
  REQUIRE(make_folders(place).ok());
  REQUIRE(write_file(join_path(folder.path(), "beside"), "outside").ok());
  int marks[2], life[2];
  REQUIRE(::pipe(marks) == 0);
  REQUIRE(::pipe(life) == 0);
  const pid_t server = ::fork();
  if (server == 0) {
    ::close(life[1]);
    const bool is_mounted = enter() && ::mount("none", place.c_str(), "tmpfs", 0, nullptr) == 0 &&
                            write_file(join_path(place, "inside"), "yes").ok();
    const std::string mark = is_mounted ? own_process_mark().value() : "-";
    (void)!::write(marks[1], mark.data(), mark.size());
    char end = 0;
    (void)!::read(life[0], &end, 1);
    ::_exit(0);
  }
  char text[64];
  const ssize_t size = ::read(marks[0], text, sizeof text);
  REQUIRE(size > 0);
  const std::string mark(text, static_cast<std::size_t>(size));
  const int status = mark == "-" ? kNotHere : in_child([&] {
    REQUIRE(::chdir(folder.path().c_str()) == 0);
    const auto found = open_namespaces(mark);
    if (!found.ok() || !*found) return 1;
    if (::geteuid() == 0 ? !enter() : !join_user_namespace((*found)->user).ok()) return 2;
    if (path_exists(join_path(place, "inside"))) return 3;
    if (!borrow_mount((*found)->mounts, place).ok()) return 4;
    if (read_file(join_path(place, "inside")).value() != "yes") return 5;
    return read_file("beside").value() == "outside" ? 0 : 6;
  });
  if (status == kNotHere) MESSAGE("no mounts can be made here: not tried");
  CHECK((status == 0 || status == kNotHere));
  CHECK_FALSE(path_exists(join_path(place, "inside")));
  ::close(life[1]);
  while (::waitpid(server, nullptr, 0) < 0 && errno == EINTR) {
  }
  for (const int fd : {marks[0], marks[1], life[0]}) ::close(fd);
}

}  // namespace slipway
