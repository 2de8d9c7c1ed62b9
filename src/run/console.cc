#include "run/console.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "base/io.h"

namespace slipway::run {
namespace {

bool is_ready(int fd, short events) {
  pollfd one{fd, events, 0};
  return fd >= 0 && ::poll(&one, 1, 0) > 0;
}

Result<UniqueFd> listen_in(const std::string& folder) {
  // A socket's name has at most 107 bytes; a folder's has no such bound.
  const UniqueFd place = TRY(open_file(folder, O_PATH | O_DIRECTORY));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/console", place.get());
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    return errno_error("cannot listen for the container's terminal");
  }
  return socket;
}

/// The descriptor that comes with the next message.
Result<UniqueFd> receive_fd(int socket) {
  std::array<char, 4096> name;
  iovec data{name.data(), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) {
    return errno_error("cannot receive the container's terminal");
  }
  const cmsghdr* part = CMSG_FIRSTHDR(&message);
  if (part == nullptr || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
    return make_error(ErrorKind::Io, "the runtime handed over no terminal");
  }
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(part), sizeof fd);
  return UniqueFd(fd);
}

}  // namespace

Result<Console> Console::create(const std::string& folder, Input input) {
  Console console;
  console.has_input_ = input == Input::Ours;
  console.listener_ = TRY(listen_in(folder));
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return errno_error("cannot make a pipe");
  console.go_read_.reset(fds[0]);
  console.go_write_.reset(fds[1]);
  return console;
}

Console::Console(Console&& other) noexcept
    : listener_(std::move(other.listener_)),
      master_(std::move(other.master_)),
      go_read_(std::move(other.go_read_)),
      go_write_(std::move(other.go_write_)),
      old_modes_(std::exchange(other.old_modes_, std::nullopt)),
      to_type_(std::move(other.to_type_)),
      has_input_(other.has_input_) {}

Console::~Console() {
  if (old_modes_) ::tcsetattr(0, TCSADRAIN, &*old_modes_);
}

void Console::add_polls(std::vector<pollfd>& polls) const {
  if (!master_) {
    polls.push_back({listener_.get(), POLLIN, 0});
    return;
  }
  const bool is_full = !to_type_.empty();
  polls.push_back({master_.get(), static_cast<short>(is_full ? POLLIN | POLLOUT : POLLIN), 0});
  if (has_input_ && !is_full) polls.push_back({0, POLLIN, 0});
}

Result<void> Console::serve() {
  if (!master_) {
    if (is_ready(listener_.get(), POLLIN)) return accept_master();
    return {};
  }
  // One round only: signals want attention too while much is written.
  if (is_ready(master_.get(), POLLIN)) (void)copy_output();
  copy_input();
  return {};
}

Result<void> Console::accept_master() {
  const UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return errno_error("cannot receive the container's terminal");
  master_ = TRY(receive_fd(socket.get()));
  ::fcntl(master_.get(), F_SETFL, O_NONBLOCK);
  copy_size();
  if (has_input_) make_raw();
  (void)!::write(go_write_.get(), "", 1);
  return {};
}

void Console::make_raw() {
  termios modes{};
  if (::tcgetattr(0, &modes) != 0) return;
  old_modes_ = modes;
  ::cfmakeraw(&modes);
  ::tcsetattr(0, TCSADRAIN, &modes);
}

void Console::copy_size() const {
  winsize size{};
  if (master_ && ::ioctl(0, TIOCGWINSZ, &size) == 0) ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

bool Console::copy_output() {
  std::array<std::byte, 16384> buffer;
  const ssize_t count = ::read(master_.get(), buffer.data(), buffer.size());
  if (count <= 0) return count < 0 && errno == EINTR;
  // Nobody may be looking any more; the container goes on.
  (void)FdSink(1).write(Bytes(buffer.data(), static_cast<std::size_t>(count)));
  return true;
}

void Console::copy_input() {
  if (has_input_ && to_type_.empty() && is_ready(0, POLLIN)) {
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(0, buffer.data(), buffer.size());
    if (count > 0) to_type_.assign(buffer.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) has_input_ = false;
  }
  if (to_type_.empty()) return;
  const ssize_t count = ::write(master_.get(), to_type_.data(), to_type_.size());
  if (count > 0) to_type_.erase(0, static_cast<std::size_t>(count));
}

void Console::finish() {
  while (master_ && copy_output()) {
  }
  if (old_modes_) ::tcsetattr(0, TCSADRAIN, &*old_modes_);
  old_modes_.reset();
}

}  // namespace slipway::run
