#include "run/port_map.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <optional>

#include "base/unique_fd.h"

namespace slipway::run {
namespace {

struct Range {
  std::uint16_t first = 0;
  std::uint16_t count = 1;
};

std::optional<std::uint16_t> parse_number(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

std::optional<Range> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number(text.substr(0, dash));
  if (!first) return std::nullopt;
  if (dash == std::string_view::npos) return Range{*first, 1};
  const auto last = parse_number(text.substr(dash + 1));
  if (!last || *last < *first || *last - *first == 65535) return std::nullopt;
  return Range{*first, static_cast<std::uint16_t>(*last - *first + 1)};
}

bool is_address(const std::string& text) {
  in6_addr bytes{};
  return ::inet_pton(AF_INET, text.c_str(), &bytes) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &bytes) == 1;
}

Error bad_port(std::string_view text, std::string_view why) {
  return make_error(ErrorKind::InvalidInput, "`-p {}`: {}", text, why)
      .hint("write `-p 8888:8888`, or `-p 0.0.0.0:8888:8888` to open it to the network");
}

/// Takes `ADDRESS:` off the front of what is `[ADDRESS:]HOST:CONTAINER`.
Result<std::string> take_address(std::string_view& rest, std::string_view text) {
  std::string address(kLoopback);
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find("]:");
    if (end == std::string_view::npos) return bad_port(text, "an address in `[` ends with `]:`");
    address = rest.substr(1, end - 1);
    rest.remove_prefix(end + 2);
  } else if (const std::size_t first = rest.find(':'), last = rest.rfind(':'); first != last) {
    address = rest.substr(0, first);
    rest.remove_prefix(first + 1);
  }
  if (!is_address(address)) {
    return bad_port(text, fmt::format("`{}` is no IP address", address));
  }
  return address;
}

/// A socket bound there: the port is free while we hold it.
Result<UniqueFd> bind_port(const std::string& address, std::uint16_t port, Protocol protocol) {
  const bool is_ipv6 = address.find(':') != std::string::npos;
  const int type = protocol == Protocol::Tcp ? SOCK_STREAM : SOCK_DGRAM;
  UniqueFd fd(::socket(is_ipv6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return errno_error("cannot make a socket");
  const int yes = 1;
  // Connections that have just ended there are no listener.
  if (protocol == Protocol::Tcp) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  }
  sockaddr_in6 six{};
  sockaddr_in four{};
  int result = 0;
  if (is_ipv6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    ::inet_pton(AF_INET6, address.c_str(), &six.sin6_addr);
    result = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&six), sizeof six);
  } else {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &four.sin_addr);
    result = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&four), sizeof four);
  }
  if (result == 0) return fd;
  if (errno == EADDRINUSE) {
    const std::string owner = find_port_owner(port, protocol);
    return make_error(ErrorKind::Unavailable, "port {} is taken{}", port,
                      owner.empty() ? "" : ": " + owner + " listens there")
        .hint(fmt::format("another one of this machine: `-p {}:…`", port + 1));
  }
  if (errno == EACCES) {
    return make_error(ErrorKind::Denied, "port {} needs root: ports below 1024 do", port)
        .hint(fmt::format("take one from 1024 on: `-p {}:…`", 8000 + port % 1000));
  }
  if (errno == EADDRNOTAVAIL) {
    return make_error(ErrorKind::InvalidInput, "`{}` is no address of this machine", address);
  }
  return errno_error(fmt::format("cannot listen on {}:{}", address, port));
}

std::uint16_t port_of(const UniqueFd& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size);
  // The port lies at the same place in both.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

}  // namespace

Result<PortMap> parse_port_map(std::string_view text) {
  PortMap map;
  std::string_view rest = text;
  if (const std::size_t slash = rest.rfind('/'); slash != std::string_view::npos) {
    const std::string_view protocol = rest.substr(slash + 1);
    if (protocol != "tcp" && protocol != "udp") {
      return bad_port(text, fmt::format("`{}` is neither `tcp` nor `udp`", protocol));
    }
    map.protocol = protocol == "udp" ? Protocol::Udp : Protocol::Tcp;
    rest = rest.substr(0, slash);
  }
  map.address = TRY(take_address(rest, text));
  const std::size_t colon = rest.find(':');
  const auto inside = parse_range(colon == std::string_view::npos ? rest : rest.substr(colon + 1));
  if (!inside) return bad_port(text, "a port is a number from 1 to 65535");
  map.container_port = inside->first;
  map.count = inside->count;
  const std::string_view outside = rest.substr(0, colon == std::string_view::npos ? 0 : colon);
  if (outside.empty()) {
    if (map.count == 1) return map;
    if (colon != std::string_view::npos) return bad_port(text, "a range needs ports of the host");
    map.host_port = map.container_port;
    return map;
  }
  const auto host = parse_range(outside);
  if (!host) return bad_port(text, "a port is a number from 1 to 65535");
  if (host->count != map.count) return bad_port(text, "the two ranges differ in length");
  map.host_port = host->first;
  return map;
}

Result<void> claim_ports(std::vector<PortMap>& maps) {
  std::vector<UniqueFd> held;  // all at once, so that two maps cannot get one port
  for (PortMap& map : maps) {
    if (map.protocol == Protocol::Udp && map.host_port == 0) map.host_port = map.container_port;
    // pasta of 2023 (Debian 12's) takes the question in, and loses the answer.
    if (map.protocol == Protocol::Udp && map.host_port != map.container_port) {
      return make_error(ErrorKind::Unsupported, "`-p {}:{}/udp`: a UDP port must keep its number",
                        map.host_port, map.container_port)
          .hint(fmt::format("publish `-p {0}:{0}/udp`", map.container_port));
    }
    for (std::uint16_t i = 0; i < map.count; ++i) {
      const auto port = static_cast<std::uint16_t>(map.host_port + (map.host_port == 0 ? 0 : i));
      held.push_back(TRY(bind_port(map.address, port, map.protocol)));
      // What is bound and does not listen would not be in the way of a second one that does so.
      if (map.protocol == Protocol::Tcp) ::listen(held.back().get(), 1);
    }
    if (map.host_port == 0) map.host_port = port_of(held.back());
  }
  return {};
}

std::string port_range_text(std::uint16_t first, std::uint16_t count) {
  return count == 1 ? fmt::format("{}", first) : fmt::format("{}-{}", first, first + count - 1);
}

std::string describe_port_map(const PortMap& map) {
  const bool is_ipv6 = map.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}->{}/{}", is_ipv6 ? "[" : "", map.address, is_ipv6 ? "]" : "",
                     port_range_text(map.host_port, map.count),
                     port_range_text(map.container_port, map.count),
                     map.protocol == Protocol::Tcp ? "tcp" : "udp");
}

}  // namespace slipway::run
