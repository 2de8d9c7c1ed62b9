#include "http/testing/fake_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace slipway::http::testing {
namespace {

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

/// Reads up to the empty line. Nothing when the client is gone.
std::optional<std::string> read_head(int fd, std::string& buffered) {
  while (true) {
    if (const auto end = buffered.find("\r\n\r\n"); end != std::string::npos) {
      std::string head = buffered.substr(0, end + 2);
      buffered.erase(0, end + 4);
      return head;
    }
    std::array<char, 4096> bytes;
    const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (count <= 0) return std::nullopt;
    buffered.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

/// Breaks the connection as a crash does: who still sends is told so at once.
void reset(int fd) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  ::connect(fd, &nobody, sizeof nobody);
}

bool read_body(int fd, std::string& buffered, std::size_t count, std::string& body) {
  body = buffered.substr(0, count);
  buffered.erase(0, body.size());
  std::array<char, 65536> bytes;
  while (body.size() < count) {
    const ssize_t got = ::recv(fd, bytes.data(), std::min(bytes.size(), count - body.size()), 0);
    if (got <= 0) return false;
    body.append(bytes.data(), static_cast<std::size_t>(got));
  }
  return true;
}

FakeRequest parse_head(std::string_view head) {
  FakeRequest request;
  const auto line_end = head.find("\r\n");
  const auto first = head.substr(0, line_end);
  const auto space = first.find(' ');
  request.method = first.substr(0, space);
  request.path = first.substr(space + 1, first.rfind(' ') - space - 1);
  for (auto rest = head.substr(line_end + 2); !rest.empty();) {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    const auto colon = line.find(':');
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto value = line.find_first_not_of(' ', colon + 1);
    request.headers[name] = value == std::string_view::npos ? "" : line.substr(value);
  }
  return request;
}

std::size_t number(std::string_view text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void wait_until_closed(int fd) {
  std::array<char, 256> bytes;
  while (::recv(fd, bytes.data(), bytes.size(), 0) > 0) {
  }
}

}  // namespace

FakeResponse serve_bytes(const FakeRequest& request, std::string body, const std::string& etag) {
  FakeResponse response;
  if (!etag.empty()) response.headers.push_back("ETag: " + etag);
  const auto find = [&](const char* name) {
    const auto found = request.headers.find(name);
    return found == request.headers.end() ? std::string() : found->second;
  };
  if (!etag.empty() && find("if-none-match") == etag) {
    response.status = 304;
    return response;
  }
  const std::string range = find("range");
  const std::string condition = find("if-range");
  if (!range.starts_with("bytes=") || (!condition.empty() && condition != etag)) {
    response.body = std::move(body);
    return response;
  }
  const auto dash = range.find('-');
  const std::string from = range.substr(6, dash - 6);
  const std::string to = range.substr(dash + 1);
  std::size_t first = number(from);
  std::size_t last = to.empty() ? body.size() - 1 : std::min(number(to), body.size() - 1);
  if (from.empty()) {
    first = body.size() - std::min(number(to), body.size());
    last = body.size() - 1;
  }
  if (first >= body.size() || last < first) {
    response.status = 416;
    return response;
  }
  response.status = 206;
  response.headers.push_back(
      fmt::format("Content-Range: bytes {}-{}/{}", first, last, body.size()));
  response.body = body.substr(first, last - first + 1);
  return response;
}

Result<std::unique_ptr<FakeServer>> FakeServer::start(Handler handler, int port, CutBody cut_body) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno_error("cannot open a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd.get(), plain, size) != 0 || ::listen(fd.get(), 64) != 0 ||
      ::getsockname(fd.get(), plain, &size) != 0) {
    return errno_error("cannot listen on 127.0.0.1");
  }
  return std::unique_ptr<FakeServer>(new FakeServer(std::move(fd), ntohs(address.sin_port),
                                                    std::move(handler), std::move(cut_body)));
}

FakeServer::FakeServer(UniqueFd listener, int port, Handler handler, CutBody cut_body)
    : listener_(std::move(listener)),
      port_(port),
      handler_(std::move(handler)),
      cut_body_(std::move(cut_body)) {
  accepter_ = std::thread([this] { accept_all(); });
}

FakeServer::~FakeServer() {
  stop_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  accepter_.join();
  auto threads = connections_.with([](Connections& all) {
    for (const UniqueFd& socket : all.sockets) ::shutdown(socket.get(), SHUT_RDWR);
    return std::move(all.threads);
  });
  for (std::thread& thread : threads) thread.join();
}

std::string FakeServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

std::vector<FakeRequest> FakeServer::requests() {
  return requests_.with([](const auto& all) { return all; });
}

void FakeServer::accept_all() {
  while (!stop_) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) continue;
    const int yes = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ++connection_count_;
    connections_.with([&](Connections& all) {
      all.threads.emplace_back([this, socket = fd.get()] { serve(socket); });
      all.sockets.push_back(std::move(fd));
    });
  }
}

void FakeServer::serve(int fd) {
  std::string buffered;
  while (const auto head = read_head(fd, buffered)) {
    FakeRequest request = parse_head(*head);
    const auto length = request.headers.find("content-length");
    const std::size_t whole = length == request.headers.end() ? 0 : number(length->second);
    const auto cut = cut_body_ ? cut_body_(request) : std::nullopt;
    if (!read_body(fd, buffered, std::min(whole, cut.value_or(whole)), request.body)) break;
    if (cut) {
      handler_(request);
      reset(fd);
      break;
    }
    requests_.with([&](auto& all) { all.push_back(request); });
    if (!answer(fd, request)) break;
  }
  ::shutdown(fd, SHUT_RDWR);  // closed with the server, so that the number is not used again
}

bool FakeServer::answer(int fd, const FakeRequest& request) {
  const FakeResponse response = handler_(request);
  if (response.drop) return false;
  std::string head = fmt::format("HTTP/1.1 {} Answer\r\n", response.status);
  for (const std::string& header : response.headers) head += header + "\r\n";
  if (response.status != 304) head += fmt::format("Content-Length: {}\r\n", response.body.size());
  head += "\r\n";
  if (!send_all(fd, head)) return false;
  if (request.method == "HEAD") return true;
  std::string_view body = response.body;
  if (response.cut_after) body = body.substr(0, *response.cut_after);
  if (response.hold_after) body = body.substr(0, *response.hold_after);
  const std::size_t piece = response.piece_bytes == 0 ? body.size() : response.piece_bytes;
  while (!body.empty()) {
    if (!send_all(fd, body.substr(0, piece))) return false;
    body.remove_prefix(std::min(piece, body.size()));
  }
  if (response.hold_after) wait_until_closed(fd);
  return !response.cut_after && !response.hold_after;
}

}  // namespace slipway::http::testing
