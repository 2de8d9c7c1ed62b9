/// Which ports of the host lead into a container, and the words for them (`-p`, as docker has it).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::run {

enum class Protocol { Tcp, Udp };

/// A run of ports: `count` of the host from `host_port` on lead to as many of the container.
struct PortMap {
  std::string address;  ///< of the host, IPv4 or IPv6 without brackets; 0.0.0.0 and :: are all
  std::uint16_t host_port = 0;  ///< 0: any that is free (UDP: the same); only with a count of 1
  std::uint16_t container_port = 0;
  std::uint16_t count = 1;
  Protocol protocol = Protocol::Tcp;
  bool operator==(const PortMap&) const = default;
};

/// Where nothing else was said: this machine alone. docker opens a port to the whole network there.
inline constexpr std::string_view kLoopback = "127.0.0.1";

/// `8888:8888`, `8888` (of the container; any of the host), `0.0.0.0:80:8080`, `[::1]:80:8080`,
/// `8000-8010:8000-8010/udp`. Pure. Fails with InvalidInput.
Result<PortMap> parse_port_map(std::string_view text);

/// Gives each map without a host port one that is free now (for UDP, the container's number), and
/// sees that the others are free. Fails with Unavailable, naming the port and who listens there,
/// Denied (a port below 1024), Unsupported (a UDP port of another number).
Result<void> claim_ports(std::vector<PortMap>& maps);

/// `8888`, `8000-8010`. Pure.
std::string port_range_text(std::uint16_t first, std::uint16_t count);

/// `127.0.0.1:8888->8888/tcp`, as docker writes it. Pure.
std::string describe_port_map(const PortMap& map);

/// `JupyterLab (process 4711)`-like words for the process of this user (of anybody, for root) that
/// listens on a port; empty where none can be seen.
std::string find_port_owner(std::uint16_t port, Protocol protocol);

}  // namespace slipway::run
