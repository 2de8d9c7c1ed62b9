#include "run/clients.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace slipway::run {
namespace {

constexpr std::size_t kMostQueuedBytes = 1 << 20;
constexpr int kMostPackets = 16;  // of one client in one round: signals want attention too
constexpr std::chrono::milliseconds kFarewell{1000};

}  // namespace

Result<Clients> Clients::listen(const RunRecord& record, Owner owner) {
  UniqueFd listener = TRY(listen_on(record.folder(), "socket", SOCK_SEQPACKET));
  const std::string path = record.path("socket");
  if (owner.uid != ::geteuid() && ::lchown(path.c_str(), owner.uid, owner.gid) != 0) {
    return errno_error(fmt::format("cannot change the owner of `{}`", path));
  }
  return Clients(std::move(listener));
}

void Clients::adopt(UniqueFd fd, Input input) {
  Client& client = clients_.emplace_back();
  client.fd = std::move(fd);
  client.is_attached = true;
  client.has_input = input == Input::Ours;
}

void Clients::add_polls(std::vector<pollfd>& polls, Reading reading) const {
  polls.push_back({listener_.get(), POLLIN, 0});
  for (const Client& client : clients_) {
    const int events =
        (may_read(client, reading) ? POLLIN : 0) | (client.queue.empty() ? 0 : POLLOUT);
    polls.push_back({client.fd.get(), static_cast<short>(events), 0});
  }
}

void Clients::serve(Attended& attended, Reading reading) {
  while (listener_) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) break;
    clients_.emplace_back().fd = std::move(fd);
  }
  for (Client& client : clients_) {
    flush(client);
    for (int count = 0; count < kMostPackets && !client.is_gone; ++count) {
      if (!may_read(client, reading)) break;
      const std::optional<Packet> packet = receive_packet(client.fd.get(), MSG_DONTWAIT);
      if (packet) {
        obey(client, *packet, attended);
      } else {
        client.is_gone = errno != EAGAIN;
        break;
      }
    }
  }
  clients_.remove_if([](const Client& client) { return client.is_gone; });
}

void Clients::obey(Client& client, const Packet& packet, Attended& attended) {
  switch (packet.word) {
    case Word::Signal: {
      const auto number = parse_two_numbers(packet.body + " 0");
      const Result<void> sent = number ? attended.send_signal(number->first)
                                       : Result<void>(make_error(ErrorKind::InvalidInput, "?"));
      if (sent.ok()) {
        put(client, Word::Done, "");
      } else {
        put(client, Word::Refused, sent.error().message);
      }
      break;
    }
    case Word::Stop:
      if (const auto numbers = parse_two_numbers(packet.body)) {
        client.waits = true;
        attended.stop(numbers->first, numbers->second);
      }
      break;
    case Word::Wait:
      client.waits = true;
      break;
    case Word::Attach:
      if (const auto refusal = attended.refuse_attach()) {
        put(client, Word::Refused, *refusal);
        break;
      }
      client.is_attached = true;
      client.has_input = packet.body == "i";
      put(client, Word::Done, "");
      break;
    case Word::Input:
      if (client.has_input) attended.take_input(packet.body);
      break;
    case Word::InputEnd:
      if (client.has_input) attended.end_input();
      break;
    case Word::Size:
      if (const auto size = parse_two_numbers(packet.body); size && client.is_attached) {
        attended.set_size(
            {static_cast<unsigned short>(size->first), static_cast<unsigned short>(size->second)});
      }
      break;
    default:
      client.is_gone = true;  // not one of ours
  }
}

void Clients::put(Client& client, Word word, std::string_view body) {
  std::string packet(1, static_cast<char>(word));
  packet += body;
  client.queued_bytes += packet.size();
  client.queue.push_back(std::move(packet));
  flush(client);
  if (client.queued_bytes > kMostQueuedBytes) client.is_gone = true;
}

void Clients::flush(Client& client) {
  while (!client.queue.empty() && !client.is_gone) {
    const std::string& packet = client.queue.front();
    if (!send_packet(client.fd.get(), static_cast<Word>(packet[0]),
                     std::string_view(packet).substr(1), MSG_DONTWAIT)) {
      client.is_gone = errno != EAGAIN;
      return;
    }
    client.queued_bytes -= packet.size();
    client.queue.pop_front();
  }
}

void Clients::show(Stream stream, std::string_view bytes) {
  const Word word = stream == Stream::Output ? Word::Output : Word::ErrorOutput;
  for (Client& client : clients_) {
    if (!client.is_attached || client.is_gone) continue;
    for (std::size_t at = 0; at < bytes.size(); at += kMostPacketBytes) {
      put(client, word, bytes.substr(at, kMostPacketBytes));
    }
  }
}

void Clients::tell_end(int status) {
  const auto deadline = std::chrono::steady_clock::now() + kFarewell;
  for (Client& client : clients_) {
    if (client.waits || client.is_attached) put(client, Word::Ended, fmt::format("{}", status));
  }
  for (Client& client : clients_) {
    while (!client.queue.empty() && !client.is_gone &&
           std::chrono::steady_clock::now() < deadline) {
      pollfd one{client.fd.get(), POLLOUT, 0};
      (void)::poll(&one, 1, 50);
      flush(client);
    }
  }
  clients_.remove_if([](const Client& client) { return client.waits || client.is_attached; });
}

}  // namespace slipway::run
