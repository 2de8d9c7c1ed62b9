// Any packets to a run's monitor: orders are obeyed or not understood, and only who may type types.
// A byte says how long the next packet is (255: longer than any may be).
#include <sys/socket.h>

#include <algorithm>

#include "base/file.h"
#include "run/clients.h"

namespace {

using namespace slipway;
using namespace slipway::run;

class Run final : public Attended {
 public:
  explicit Run(bool refuses) : refuses_(refuses) {}
  Result<void> send_signal(int number) override {
    if (number > 64) return make_error(ErrorKind::InvalidInput, "there is no signal {}", number);
    return {};
  }
  void stop(int, int) override {}
  std::optional<std::string> refuse_attach() override {
    if (refuses_) return "it is waiting to be started again";
    is_attached_ = true;
    return std::nullopt;
  }
  void take_input(std::string_view bytes) override {
    if (!is_attached_ || bytes.size() > kMostPacketBytes) __builtin_trap();
  }
  void end_input() override {
    if (!is_attached_) __builtin_trap();
  }
  void set_size(TerminalSize) override {
    if (!is_attached_) __builtin_trap();
  }

 private:
  bool refuses_;
  bool is_attached_ = false;
};

struct Record {
  TemporaryFolder folder = TemporaryFolder::create("/tmp", "fuzz-wire").value();
  RunRecord record =
      RunRecord::create(folder.path() + "/runs", {}, {::geteuid(), ::getegid()}).value();
};

/// What the monitor answers is of words that it has.
void read_answers(int fd) {
  while (const std::optional<Packet> packet = receive_packet(fd, MSG_DONTWAIT)) {
    if (packet->word != Word::Done && packet->word != Word::Refused &&
        packet->word != Word::Ended && packet->word != Word::Output) {
      __builtin_trap();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static Record at;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_two_numbers(text);
  if (!remove_file(at.record.path("socket")).ok()) __builtin_trap();
  Result<Clients> clients = Clients::listen(at.record, {::geteuid(), ::getegid()});
  if (!clients.ok()) __builtin_trap();
  const Result<UniqueFd> fd = connect_to(at.record.folder(), "socket");
  if (!fd.ok()) __builtin_trap();
  Run run(size % 5 == 4);
  while (!text.empty()) {
    const auto length = static_cast<unsigned char>(text[0]);
    text.remove_prefix(1);
    const std::string_view part = text.substr(0, length);
    std::string packet(part);
    if (length == 255) packet.append(kMostPacketBytes, 'x');
    text.remove_prefix(part.size());
    (void)::send(fd->get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    clients->serve(run, length % 2 == 0 ? Clients::Reading::All : Clients::Reading::NoInput);
    clients->show(Stream::Output, "shown");
    read_answers(fd->get());
  }
  clients->tell_end(0);
  read_answers(fd->get());
  return 0;
}
