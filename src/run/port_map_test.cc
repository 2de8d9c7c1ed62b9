#include "run/port_map.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace slipway::run {
namespace {

TEST_CASE("the words of -p") {
  struct Case {
    const char* text;
    const char* meaning;  ///< as described; empty: refused
  };
  for (const Case& c : {
           Case{"8888:8888", "127.0.0.1:8888->8888/tcp"},
           Case{"80:8080/tcp", "127.0.0.1:80->8080/tcp"},
           Case{"53:53/udp", "127.0.0.1:53->53/udp"},
           Case{"8888", "127.0.0.1:0->8888/tcp"},
           Case{":8888", "127.0.0.1:0->8888/tcp"},
           Case{"0.0.0.0:80:8080", "0.0.0.0:80->8080/tcp"},
           Case{"127.0.0.1::8080", "127.0.0.1:0->8080/tcp"},
           Case{"[::1]:80:8080", "[::1]:80->8080/tcp"},
           Case{"[::]:80:8080/udp", "[::]:80->8080/udp"},
           Case{"8000-8010:9000-9010", "127.0.0.1:8000-8010->9000-9010/tcp"},
           Case{"8000-8001", "127.0.0.1:8000-8001->8000-8001/tcp"},
           Case{"1:65535", "127.0.0.1:1->65535/tcp"},
           Case{"", ""},
           Case{":", ""},
           Case{"0:80", ""},
           Case{"80:0", ""},
           Case{"65536:80", ""},
           Case{"-1:80", ""},
           Case{"80:http", ""},
           Case{"80:80/sctp", ""},
           Case{"80:80/", ""},
           Case{"host:80:80", ""},
           Case{"300.0.0.1:80:80", ""},
           Case{"::1:80:80", ""},
           Case{"[::1:80:80", ""},
           Case{"[::1]80:80", ""},
           Case{"8000-8010:9000", ""},
           Case{"8010-8000:9010-9000", ""},
           Case{":8000-8010", ""},
           Case{"8000-:8000-", ""},
           Case{"1-65536:1-65536", ""},
           Case{"0.0.0.0:80:80:80", ""},
       }) {
    CAPTURE(c.text);
    const Result<PortMap> map = parse_port_map(c.text);
    CHECK((map.ok() ? describe_port_map(*map) : "") == c.meaning);
    if (!map.ok()) CHECK(map.error().kind == ErrorKind::InvalidInput);
  }
}

TEST_CASE("a port without a number gets a free one, and one that is taken is told") {
  std::vector<PortMap> maps{{"127.0.0.1", 0, 8888, 1, Protocol::Tcp},
                            {"127.0.0.1", 0, 8889, 1, Protocol::Tcp}};
  REQUIRE(claim_ports(maps).ok());
  CHECK(maps[0].host_port != 0);
  CHECK(maps[0].host_port != maps[1].host_port);

  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  socklen_t size = sizeof address;
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const std::uint16_t port = ntohs(address.sin_port);
  for (const char* host : {"127.0.0.1", "0.0.0.0"}) {
    std::vector<PortMap> taken{{host, port, 80, 1, Protocol::Tcp}};
    const auto claimed = claim_ports(taken);
    REQUIRE_FALSE(claimed.ok());
    CHECK(claimed.error().kind == ErrorKind::Unavailable);
    CHECK(claimed.error().message.find(fmt::format("(process {}) listens there", ::getpid())) !=
          std::string::npos);
  }
}

TEST_CASE("two maps cannot have one port of the host") {
  std::vector<PortMap> free{{"127.0.0.1", 0, 1, 1, Protocol::Tcp}};
  REQUIRE(claim_ports(free).ok());
  std::vector<PortMap> twice{free[0], free[0]};
  CHECK_FALSE(claim_ports(twice).ok());
}

TEST_CASE("a UDP port keeps its number") {
  std::vector<PortMap> other{{"127.0.0.1", 40000, 40001, 1, Protocol::Udp}};
  const auto claimed = claim_ports(other);
  REQUIRE_FALSE(claimed.ok());
  CHECK(claimed.error().kind == ErrorKind::Unsupported);
}

TEST_CASE("an address of another machine is refused") {
  std::vector<PortMap> maps{{"203.0.113.77", 8000, 80, 1, Protocol::Tcp}};
  const auto claimed = claim_ports(maps);
  REQUIRE_FALSE(claimed.ok());
  CHECK(claimed.error().kind == ErrorKind::InvalidInput);
}

}  // namespace
}  // namespace slipway::run
