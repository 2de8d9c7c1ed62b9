/// Looks after one run while it lives: signals, its outputs and its terminal, the log, requests to
/// stop, and those who are connected (clients.h). One thread, one loop.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/sandbox_room.h"
#include "run/clients.h"
#include "run/console.h"
#include "run/signals.h"

namespace slipway::run {

/// Our side of what the container reads and writes; empty where it has our own descriptors.
struct Ports {
  std::optional<Console> console;
  UniqueFd output, error_output;  ///< pipes; do not block
  UniqueFd input;
};

class Monitor final : private Attended {
 public:
  struct Options {
    Input own_input = Input::Null;  ///< what is typed here goes to the container's terminal
    enum class Output { Shown, NotShown } own_output = Output::NotShown;  ///< of its terminal
    LogWriter* log = nullptr;
    int stop_signal = 15;
    int stop_seconds = 10;
    enum class Attendance { Foreground, Detached } attendance = Attendance::Foreground;
  };
  Monitor(Clients clients, SignalWatch signals, Options options)
      : clients_(std::move(clients)), signals_(std::move(signals)), options_(options) {}

  struct Occasions {
    /// The container is there and waits for the word to go; an Error ends the attendance.
    std::function<Result<void>(const Room&)> on_create;
    std::function<void(const Room&)> on_start;  ///< the command runs
    std::function<void()> on_look;              ///< every ten seconds from then on
  };
  /// Until the room is about to end.
  Result<void> attend(Room& room, Ports& ports, const CancelToken& cancel,
                      const Occasions& occasions);
  /// Everything in the container is dead: what it wrote last goes where it should.
  void drain(Ports& ports);
  void tell_end(int status) { clients_.tell_end(status); }
  /// Between two lives. False where somebody asked to stop meanwhile.
  bool pause(std::chrono::milliseconds time);
  bool was_stopped() const { return was_stopped_; }

 private:
  using Clock = std::chrono::steady_clock;

  Result<void> send_signal(int number) override;
  void stop(int number, int seconds) override;
  std::optional<std::string> refuse_attach() override;
  void take_input(std::string_view bytes) override;
  void end_input() override;
  void set_size(TerminalSize size) override;

  Result<void> serve_console();
  void pass_signals_on();
  void pass_on(int number);
  void stop_if_due(const CancelToken& cancel);
  void read_own_input();
  void write_input();
  bool copy_output(int fd, Stream stream);  ///< false: there is no more for now
  bool is_quiet() const { return quiet_until_ && Clock::now() < *quiet_until_; }
  bool is_full() const { return !to_type_.empty(); }
  Clients::Reading reading() const {
    return is_full() ? Clients::Reading::NoInput : Clients::Reading::All;
  }
  std::vector<pollfd> polls() const;
  int poll_time() const;
  void look(const Occasions& occasions);

  Clients clients_;
  SignalWatch signals_;
  Options options_;
  Room* room_ = nullptr;
  Ports* ports_ = nullptr;
  std::optional<RawTerminal> raw_;
  std::string to_type_;  ///< not yet taken by the container
  bool input_ends_ = false;
  /// A terminal that nothing inside has open is always "ready": it is asked again after a while.
  std::optional<Clock::time_point> quiet_until_;
  bool own_input_ended_ = false;
  bool was_stopped_ = false;
  int interrupts_ = 0;
  std::optional<Clock::time_point> deadline_;
  std::optional<Clock::time_point> next_look_;
};

}  // namespace slipway::run
