#include "run/monitor.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"
#include "base/io.h"

namespace slipway::run {
namespace {

constexpr int kGraceSeconds = 10;
constexpr int kPatience = 3;        // interrupts until the container is killed
constexpr int kCancelChecks = 100;  // milliseconds between looks at a token
constexpr int kQuietTime = 100;     // milliseconds
constexpr std::chrono::seconds kBetweenLooks{10};

bool is_ready(int fd, short events) {
  pollfd one{fd, events, 0};
  return fd >= 0 && ::poll(&one, 1, 0) > 0;
}

}  // namespace

Result<void> Monitor::attend(Room& room, Ports& ports, const CancelToken& cancel,
                             const Occasions& occasions) {
  room_ = &room;
  ports_ = &ports;
  deadline_.reset();
  next_look_.reset();
  while (true) {
    std::vector<pollfd> polled = polls();
    if (::poll(polled.data(), polled.size(), poll_time()) < 0 && errno != EINTR) {
      return errno_error("cannot wait for the container");
    }
    pass_signals_on();
    if (ports.console) TRY(serve_console());
    // One round only: signals want attention too while much is written.
    if (is_ready(ports.output.get(), POLLIN)) (void)copy_output(ports.output.get(), Stream::Output);
    if (is_ready(ports.error_output.get(), POLLIN)) {
      (void)copy_output(ports.error_output.get(), Stream::ErrorOutput);
    }
    read_own_input();
    clients_.serve(*this, reading());
    write_input();
    switch (polled[0].revents != 0 ? room.take_news() : Room::News::None) {
      case Room::News::Ending:
        return {};
      case Room::News::Created:
        if (occasions.on_create) TRY(occasions.on_create(room));
        break;
      case Room::News::Started:
        if (occasions.on_start) occasions.on_start(room);
        if (occasions.on_look) next_look_ = Clock::now() + kBetweenLooks;
        break;
      case Room::News::None:
        break;
    }
    look(occasions);
    stop_if_due(cancel);
  }
}

void Monitor::look(const Occasions& occasions) {
  if (!next_look_ || Clock::now() < *next_look_) return;
  occasions.on_look();
  next_look_ = Clock::now() + kBetweenLooks;
}

std::vector<pollfd> Monitor::polls() const {
  std::vector<pollfd> list{{room_->report_fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
  const auto add = [&](int fd, short events) {
    if (fd >= 0) list.push_back({fd, events, 0});
  };
  if (ports_->console) {
    add(ports_->console->listener_fd(), POLLIN);
    if (!is_quiet()) {
      add(ports_->console->master_fd(), static_cast<short>(is_full() ? POLLIN | POLLOUT : POLLIN));
    }
    if (options_.own_input == Input::Ours && !own_input_ended_ && !is_full()) add(0, POLLIN);
  }
  add(ports_->output.get(), POLLIN);
  add(ports_->error_output.get(), POLLIN);
  if (is_full()) add(ports_->input.get(), POLLOUT);
  clients_.add_polls(list, reading());
  return list;
}

int Monitor::poll_time() const {
  if (deadline_) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(*deadline_ - Clock::now());
    return static_cast<int>(std::clamp<long long>(left.count() + 1, 0, kCancelChecks));
  }
  if (is_quiet()) return kQuietTime;
  if (options_.attendance == Options::Attendance::Foreground) return kCancelChecks;
  return next_look_ ? static_cast<int>(std::chrono::milliseconds(kBetweenLooks).count()) : -1;
}

Result<void> Monitor::serve_console() {
  Console& console = *ports_->console;
  if (is_ready(console.listener_fd(), POLLIN)) {
    TRY(console.accept(own_terminal_size().value_or(TerminalSize{})));
    if (options_.own_input == Input::Ours) raw_.emplace(RawTerminal::enter());
  }
  if (!is_quiet() && is_ready(console.master_fd(), POLLIN) &&
      !copy_output(console.master_fd(), Stream::Output)) {
    quiet_until_ = Clock::now() + std::chrono::milliseconds(kQuietTime);
  }
  return {};
}

bool Monitor::copy_output(int fd, Stream stream) {
  std::array<char, 16384> buffer;
  const ssize_t count = ::read(fd, buffer.data(), buffer.size());
  if (count == 0) {
    // All who could write are gone, and poll(2) would say so for ever.
    if (fd == ports_->output.get()) ports_->output.reset();
    if (fd == ports_->error_output.get()) ports_->error_output.reset();
  }
  if (count <= 0) return count < 0 && errno == EINTR;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(count));
  // Nobody may be looking any more; the container goes on.
  if (options_.own_output == Options::Output::Shown) (void)FdSink(1).write(as_bytes(text));
  if (options_.log != nullptr) options_.log->write(stream, text, utc_now());
  clients_.show(stream, text);
  return true;
}

void Monitor::read_own_input() {
  if (options_.own_input != Input::Ours || own_input_ended_ || is_full()) return;
  if (!ports_->console || ports_->console->master_fd() < 0 || !is_ready(0, POLLIN)) return;
  std::array<char, 4096> buffer;
  const ssize_t count = ::read(0, buffer.data(), buffer.size());
  if (count > 0) to_type_.assign(buffer.data(), static_cast<std::size_t>(count));
  own_input_ended_ = count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN);
}

void Monitor::write_input() {
  const int fd = ports_->console ? ports_->console->master_fd() : ports_->input.get();
  if (fd < 0) {
    if (!ports_->console) to_type_.clear();  // nobody reads
    return;
  }
  if (!to_type_.empty()) {
    const ssize_t count = ::write(fd, to_type_.data(), to_type_.size());
    if (count > 0) to_type_.erase(0, static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) to_type_.clear();
  }
  if (to_type_.empty() && input_ends_) ports_->input.reset();
}

void Monitor::drain(Ports& ports) {
  ports_ = &ports;
  const auto empty = [&](int fd, Stream stream) {
    while (fd >= 0 && copy_output(fd, stream)) {
    }
  };
  if (ports.console) empty(ports.console->master_fd(), Stream::Output);
  empty(ports.output.get(), Stream::Output);
  empty(ports.error_output.get(), Stream::ErrorOutput);
  raw_.reset();
  if (options_.log != nullptr) options_.log->finish(utc_now());
  to_type_.clear();
  room_ = nullptr;
  ports_ = nullptr;
}

bool Monitor::pause(std::chrono::milliseconds time) {
  const Clock::time_point until = Clock::now() + time;
  Ports none;
  ports_ = &none;
  while (!was_stopped_ && Clock::now() < until) {
    std::vector<pollfd> polled{{signals_.fd(), POLLIN, 0}};
    clients_.add_polls(polled, Clients::Reading::All);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    (void)::poll(polled.data(), polled.size(), static_cast<int>(left.count() + 1));
    pass_signals_on();
    clients_.serve(*this, Clients::Reading::All);
  }
  ports_ = nullptr;
  return !was_stopped_;
}

void Monitor::pass_signals_on() {
  const bool is_foreground = options_.attendance == Options::Attendance::Foreground;
  while (const int number = signals_.next()) {
    if (number == SIGWINCH && ports_->console) {
      if (is_foreground) set_size(own_terminal_size().value_or(TerminalSize{}));
    } else if (is_foreground) {
      if (number == SIGINT || number == SIGTERM) ++interrupts_;
      // The runtime puts the container into a session of its own: nobody else tells it.
      pass_on(number);
    } else if (number == SIGTERM || number == SIGINT) {
      stop(options_.stop_signal, options_.stop_seconds);
    }
  }
  if (interrupts_ >= kPatience && room_ != nullptr) room_->kill();
}

void Monitor::pass_on(int number) {
  if (room_ != nullptr && !room_->signal_program(number)) room_->signal(number);
}

void Monitor::stop_if_due(const CancelToken& cancel) {
  if (cancel.cancelled() && !deadline_) stop(SIGTERM, kGraceSeconds);
  if (deadline_ && Clock::now() >= *deadline_) room_->kill();
}

Result<void> Monitor::send_signal(int number) {
  if (number < 1 || number > SIGRTMAX) {
    return make_error(ErrorKind::InvalidInput, "there is no signal {}", number);
  }
  // As with docker: who kills a container does not want it back.
  if (number == SIGKILL || number == options_.stop_signal) was_stopped_ = true;
  if (room_ == nullptr) {
    return make_error(ErrorKind::NotFound, "it is waiting to be started again");
  }
  if (room_->signal_program(number)) return {};
  if (number == SIGKILL) {
    room_->kill();
    return {};
  }
  return make_error(ErrorKind::Io, "the signal could not be delivered: it has not started yet");
}

void Monitor::stop(int number, int seconds) {
  was_stopped_ = true;
  if (room_ == nullptr) return;
  if (!deadline_) pass_on(number);
  if (seconds >= 0) {
    const Clock::time_point wish = Clock::now() + std::chrono::seconds(seconds);
    deadline_ = deadline_ ? std::min(*deadline_, wish) : wish;
  }
}

std::optional<std::string> Monitor::refuse_attach() {
  const bool has_ports = ports_ != nullptr && (ports_->console || ports_->output);
  if (room_ == nullptr) return "it is waiting to be started again";
  if (!has_ports && options_.attendance == Options::Attendance::Foreground) {
    return fmt::format("its input and output are those of process {}, in the foreground",
                       ::getpid());
  }
  return std::nullopt;
}

void Monitor::take_input(std::string_view bytes) { to_type_ += bytes; }

void Monitor::end_input() { input_ends_ = true; }

void Monitor::set_size(TerminalSize size) {
  if (ports_ != nullptr && ports_->console) ports_->console->set_size(size);
}

}  // namespace slipway::run
