/// What a monitor and those who talk to it say to each other: packets through `<record>/socket`
/// (SOCK_SEQPACKET), the first byte of each its kind. The folder's mode decides who may connect.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"
#include "run/container.h"

namespace slipway::run {

enum class Word : char {
  // To the monitor:
  Signal = 'k',    ///< "15": to the container's process 1
  Stop = 'q',      ///< "15 10": that signal, and SIGKILL after so many seconds (-1: never)
  Wait = 'w',      ///< answered with Ended
  Attach = 'a',    ///< "i" with input, "o" without
  Input = 'i',     ///< bytes for the container's standard input
  InputEnd = 'e',  ///< there will be no more of them
  Size = 'z',      ///< "rows columns" of the terminal
  // From it:
  Done = 'y',
  Refused = 'n',      ///< a sentence
  Output = 'o',       ///< bytes
  ErrorOutput = 'E',  ///< bytes
  Ended = 'x',        ///< "status"
};

struct Packet {
  Word word;
  std::string body;
};

constexpr std::size_t kMostPacketBytes = 32 << 10;

Result<UniqueFd> listen_on(const std::string& folder, const std::string& name, int type);
/// NotFound where nobody listens.
Result<UniqueFd> connect_to(const std::string& folder, const std::string& name);

/// False where the other side is gone, or (`flags` MSG_DONTWAIT) its queue is full: see errno.
bool send_packet(int fd, Word word, std::string_view body, int flags = 0);
/// Nothing at the end; with MSG_DONTWAIT also where there is nothing yet: errno is EAGAIN then.
std::optional<Packet> receive_packet(int fd, int flags = 0);

/// The numbers in a text, separated by spaces.
std::optional<std::pair<int, int>> parse_two_numbers(std::string_view text);

}  // namespace slipway::run
