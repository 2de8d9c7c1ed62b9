/// Those who are connected to a monitor: they give orders, wait, or are attached.
#pragma once

#include <poll.h>

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "run/console.h"
#include "run/log_file.h"
#include "run/record.h"
#include "run/wire.h"

namespace slipway::run {

/// What the orders are for. Nothing here blocks.
class Attended {
 public:
  virtual ~Attended() = default;
  virtual Result<void> send_signal(int number) = 0;
  virtual void stop(int number, int seconds) = 0;
  /// Why nobody can attach; nothing where they can.
  virtual std::optional<std::string> refuse_attach() = 0;
  virtual void take_input(std::string_view bytes) = 0;
  virtual void end_input() = 0;
  virtual void set_size(TerminalSize size) = 0;
};

class Clients {
 public:
  /// Nobody can connect.
  static Clients none() { return Clients(UniqueFd()); }
  /// On `socket` in the record.
  static Result<Clients> listen(const RunRecord& record, Owner owner);

  /// Without `takes_input`, those who are attached have to wait before they say more.
  enum class Reading { All, NoInput };
  void add_polls(std::vector<pollfd>& polls, Reading reading) const;
  /// Somebody who is attached before there is anything to see.
  void adopt(UniqueFd fd, Input input);
  /// Does what can be done without waiting.
  void serve(Attended& attended, Reading reading);
  /// To all who are attached. Who has not read a megabyte is let go.
  void show(Stream stream, std::string_view bytes);
  /// To all who wait or are attached, who are let go then. Waits a second at most for slow readers.
  void tell_end(int status);

 private:
  struct Client {
    UniqueFd fd;
    bool is_attached = false;
    bool has_input = false;
    bool waits = false;
    bool is_gone = false;
    std::deque<std::string> queue;  ///< packets: the word, then the body
    std::size_t queued_bytes = 0;
  };
  explicit Clients(UniqueFd listener) : listener_(std::move(listener)) {}
  static void put(Client& client, Word word, std::string_view body);
  static void flush(Client& client);
  static void obey(Client& client, const Packet& packet, Attended& attended);
  static bool may_read(const Client& client, Reading reading) {
    return reading == Reading::All || !client.has_input;
  }

  UniqueFd listener_;
  std::list<Client> clients_;
};

}  // namespace slipway::run
