#include "run/wire.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/file.h"

namespace slipway::run {
namespace {

/// A socket's name has at most 107 bytes; a folder's has no such bound. So it is named through
/// /proc, or, where that is another pid namespace's (exec), from within the folder.
struct Address {
  UniqueFd place;
  UniqueFd before;  ///< where to go back to
  sockaddr_un name{};

  Address() = default;
  Address(Address&&) = default;
  Address& operator=(Address&&) = delete;
  ~Address() {
    if (before) (void)!::fchdir(before.get());
  }
};

Result<Address> address_in(const std::string& folder, const std::string& name) {
  Address address;
  address.place = TRY(open_file(folder, O_PATH | O_DIRECTORY));
  address.name.sun_family = AF_UNIX;
  std::string path = fmt::format("/proc/self/fd/{}/{}", address.place.get(), name);
  if (::access("/proc/self/fd", F_OK) != 0) {
    address.before = TRY(open_file(".", O_PATH | O_DIRECTORY));
    if (::fchdir(address.place.get()) != 0) return errno_error("cannot go to a folder");
    path = name;
  }
  std::memcpy(address.name.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace

Result<UniqueFd> listen_on(const std::string& folder, const std::string& name, int type) {
  const Address address = TRY(address_in(folder, name));
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.name), sizeof address.name) !=
          0 ||
      ::listen(socket.get(), 16) != 0) {
    return errno_error(fmt::format("cannot listen on `{}/{}`", folder, name));
  }
  return socket;
}

Result<UniqueFd> connect_to(const std::string& folder, const std::string& name) {
  const Address address = TRY(address_in(folder, name));
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error("cannot make a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.name),
                sizeof address.name) == 0) {
    return socket;
  }
  if (errno == ECONNREFUSED) errno = ENOENT;
  return errno_error(fmt::format("cannot reach the monitor of `{}`", folder));
}

bool send_packet(int fd, Word word, std::string_view body, int flags) {
  char kind = static_cast<char>(word);
  std::array<iovec, 2> parts{{{&kind, 1}, {const_cast<char*>(body.data()), body.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ssize_t count = -1;
  do {
    count = ::sendmsg(fd, &message, MSG_NOSIGNAL | flags);
  } while (count < 0 && errno == EINTR);
  return count >= 0;
}

std::optional<Packet> receive_packet(int fd, int flags) {
  std::array<char, kMostPacketBytes + 1> buffer;
  ssize_t count = -1;
  do {
    count = ::recv(fd, buffer.data(), buffer.size(), flags);
    // Said once where the other side left with packets of ours unread; its own are still there.
  } while (count < 0 && (errno == EINTR || errno == ECONNRESET));
  if (count == 0) errno = 0;
  if (count <= 0) return std::nullopt;
  return Packet{static_cast<Word>(buffer[0]),
                std::string(buffer.data() + 1, static_cast<std::size_t>(count) - 1)};
}

std::optional<std::pair<int, int>> parse_two_numbers(std::string_view text) {
  std::pair<int, int> numbers;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, numbers.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, numbers.second);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return numbers;
}

}  // namespace slipway::run
