#include "run/console.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "run/wire.h"

namespace slipway::run {
namespace {

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

Result<Console> Console::create(const std::string& folder, UniqueFd go) {
  Console console;
  console.listener_ = TRY(listen_on(folder, "console", SOCK_STREAM));
  console.go_ = std::move(go);
  return console;
}

Result<void> Console::accept(TerminalSize size) {
  const UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return errno_error("cannot receive the container's terminal");
  master_ = TRY(receive_fd(socket.get()));
  ::fcntl(master_.get(), F_SETFL, O_NONBLOCK);
  set_size(size);
  (void)!::write(go_.get(), "", 1);
  return {};
}

void Console::set_size(TerminalSize size) const {
  winsize window{};
  window.ws_row = size.rows;
  window.ws_col = size.columns;
  if (master_) ::ioctl(master_.get(), TIOCSWINSZ, &window);
}

RawTerminal RawTerminal::enter() {
  RawTerminal terminal;
  termios modes{};
  if (::tcgetattr(0, &modes) != 0) return terminal;
  terminal.old_modes_ = modes;
  ::cfmakeraw(&modes);
  ::tcsetattr(0, TCSADRAIN, &modes);
  return terminal;
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept
    : old_modes_(std::exchange(other.old_modes_, std::nullopt)) {}

void RawTerminal::leave() {
  if (old_modes_) ::tcsetattr(0, TCSADRAIN, &*old_modes_);
  old_modes_.reset();
}

std::optional<TerminalSize> own_terminal_size() {
  winsize size{};
  if (::ioctl(0, TIOCGWINSZ, &size) != 0) return std::nullopt;
  return TerminalSize{size.ws_row, size.ws_col};
}

}  // namespace slipway::run
