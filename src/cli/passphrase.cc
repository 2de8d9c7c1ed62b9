#include "cli/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <optional>

#include "base/environment.h"
#include "base/io.h"
#include "base/unique_fd.h"

namespace slipway::cli {
namespace {

/// No echo while it lives, also where the user stops us: a handler ends the read, and this the
/// rest.
class Hush {
 public:
  explicit Hush(int fd) : fd_(fd), is_known_(::tcgetattr(fd, &before_) == 0) {
    termios modes = before_;
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (is_known_) ::tcsetattr(fd_, TCSAFLUSH, &modes);
  }
  Hush(const Hush&) = delete;
  Hush& operator=(const Hush&) = delete;
  ~Hush() {
    if (is_known_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }

 private:
  int fd_;
  termios before_{};
  bool is_known_;
};

std::optional<std::string> find_variable() {
  auto found = find_environment("SLIPWAY_KEY_PASSWORD");
  return found ? found : find_environment("COSIGN_PASSWORD");
}

UniqueFd open_terminal() { return UniqueFd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)); }

Result<std::string> ask(int terminal, const std::string& question) {
  FdSink out(terminal);
  TRY(out.write(as_bytes(question)));
  std::string line;
  {
    const Hush hush(terminal);
    for (char c = 0;;) {
      const ssize_t count = ::read(terminal, &c, 1);
      if (count < 0) return make_error(ErrorKind::Cancelled, "no passphrase was given");
      if (count == 0 || c == '\n') break;
      line += c;
    }
  }
  TRY(out.write(as_bytes("\n")));
  return line;
}

}  // namespace

Result<std::string> find_passphrase(const std::string& shown) {
  if (auto found = find_variable()) return std::move(*found);
  const UniqueFd terminal = open_terminal();
  if (!terminal) return std::string();
  return ask(terminal.get(), fmt::format("passphrase of `{}`: ", shown));
}

Result<NewPassphrase> choose_passphrase(const std::string& shown) {
  if (auto found = find_variable()) return NewPassphrase{std::move(*found), true};
  const UniqueFd terminal = open_terminal();
  if (!terminal) return NewPassphrase{{}, false};
  std::string first = TRY(ask(terminal.get(), fmt::format("new passphrase of `{}`: ", shown)));
  const std::string second = TRY(ask(terminal.get(), "the same again: "));
  if (first == second) return NewPassphrase{std::move(first), true};
  return make_error(ErrorKind::InvalidInput, "the two passphrases differ");
}

}  // namespace slipway::cli
