#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"
#include "base/io.h"
#include "run/console.h"
#include "run/control.h"
#include "run/signals.h"
#include "run/wire.h"

namespace slipway::run {
namespace {

/// Our side of an attachment.
class Attachment {
 public:
  Attachment(UniqueFd socket, const KnownRun& run, const AttachWish& wish, SignalWatch signals)
      : socket_(std::move(socket)), run_(run), wish_(wish), signals_(std::move(signals)) {
    reads_ = wish_.reads == AttachWish::Reads::Input && run_.facts.has_input;
  }

  Result<void> ask() {
    (void)send_packet(socket_.get(), Word::Attach, reads_ ? "i" : "o");
    const std::optional<Packet> answer = receive_packet(socket_.get());
    if (answer && answer->word == Word::Done) return {};
    return make_error(ErrorKind::Denied, "cannot attach to `{}`: {}", run_.facts.name,
                      answer ? answer->body : "it has just ended");
  }

  Result<AttachEnd> attend() {
    std::optional<RawTerminal> raw;
    if (run_.facts.has_terminal) {
      send_size();
      if (reads_ && ::isatty(0) == 1) raw.emplace(RawTerminal::enter());
    }
    while (true) {
      std::array<pollfd, 3> polls{
          {{socket_.get(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}, {reads_ ? 0 : -1, POLLIN, 0}}};
      if (::poll(polls.data(), polls.size(), -1) < 0 && errno != EINTR) {
        return errno_error("cannot wait for the run");
      }
      pass_signals_on();
      if (polls[2].revents != 0 && !read_input()) return AttachEnd{AttachEnd::Kind::Detached, 0};
      if (polls[0].revents == 0) continue;
      const std::optional<AttachEnd> end = TRY(show());
      if (end) return *end;
    }
  }

 private:
  void send_size() {
    const auto size = own_terminal_size();
    if (!size) return;
    (void)send_packet(socket_.get(), Word::Size, fmt::format("{} {}", size->rows, size->columns));
  }

  void pass_signals_on() {
    while (const int number = signals_.next()) {
      if (number == SIGWINCH) {
        if (run_.facts.has_terminal) send_size();
      } else if (wish_.signals == AttachWish::Signals::PassedOn) {
        (void)signal_run(run_, number);
      }
    }
  }

  /// False where the detach keys were typed.
  bool read_input() {
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(0, buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
    if (count <= 0) {
      reads_ = false;
      (void)send_packet(socket_.get(), Word::InputEnd, "");
      return true;
    }
    std::string out;
    for (ssize_t i = 0; i < count; ++i) {
      const char key = buffer[static_cast<std::size_t>(i)];
      if (run_.facts.has_terminal && typed_ < wish_.detach_keys.size() &&
          key == wish_.detach_keys[typed_]) {
        if (++typed_ == wish_.detach_keys.size()) return false;
        continue;
      }
      // The beginning of the keys, and then something else: it was meant for the run.
      out += wish_.detach_keys.substr(0, typed_);
      typed_ = 0;
      out += key;
    }
    if (!out.empty()) (void)send_packet(socket_.get(), Word::Input, out);
    return true;
  }

  Result<std::optional<AttachEnd>> show() {
    const std::optional<Packet> packet = receive_packet(socket_.get(), MSG_DONTWAIT);
    if (!packet) {
      if (errno == EAGAIN) return std::optional<AttachEnd>();
      if (is_alive(run_.folder)) {
        return make_error(ErrorKind::Io, "the connection to `{}` is lost", run_.facts.name)
            .reason("what it wrote was not read here fast enough")
            .hint(fmt::format("`slipway logs -f {}` has all of it", run_.facts.name));
      }
      return make_error(ErrorKind::Io, "the monitor of `{}` was killed, and the run with it",
                        run_.facts.name);
    }
    if (packet->word == Word::Output || packet->word == Word::ErrorOutput) {
      // Nobody may be looking any more; the run goes on.
      (void)FdSink(packet->word == Word::Output ? 1 : 2).write(as_bytes(packet->body));
    } else if (packet->word == Word::Ended) {
      const auto numbers = parse_two_numbers(packet->body + " 0");
      return std::optional(AttachEnd{AttachEnd::Kind::Ended, numbers ? numbers->first : 1});
    }
    return std::optional<AttachEnd>();
  }

  UniqueFd socket_;
  const KnownRun& run_;
  const AttachWish& wish_;
  SignalWatch signals_;
  bool reads_ = false;
  std::size_t typed_ = 0;  ///< of the detach keys
};

}  // namespace

Result<AttachEnd> attach_to_run(const KnownRun& run, const AttachWish& wish) {
  Result<UniqueFd> socket = run.is_alive
                                ? connect_to(run.folder, "socket")
                                : Result<UniqueFd>(make_error(ErrorKind::NotFound, "it has ended"));
  if (!socket.ok()) {
    return make_error(ErrorKind::Denied, "cannot attach to `{}`: it is not running", run.facts.name)
        .hint(fmt::format("`slipway logs {}` shows what it wrote", run.facts.name));
  }
  Attachment attachment(std::move(*socket), run, wish, TRY(SignalWatch::start()));
  TRY(attachment.ask());
  return attachment.attend();
}

Result<AttachEnd> attach_through(UniqueFd connection, const KnownRun& run, const AttachWish& wish) {
  return Attachment(std::move(connection), run, wish, TRY(SignalWatch::start())).attend();
}

}  // namespace slipway::run
