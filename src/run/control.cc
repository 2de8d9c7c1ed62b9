#include "run/control.h"

#include <signal.h>

#include <array>
#include <charconv>
#include <cstring>

#include "base/file.h"
#include "base/nearest.h"
#include "run/wire.h"

namespace slipway::run {
namespace {

Error not_running(const KnownRun& run) {
  return make_error(ErrorKind::Denied, "the run `{}` is not running: it has {}", run.facts.name,
                    status_word(run.state.status));
}

/// As its record says once nobody holds its lock.
Result<int> final_status(const KnownRun& run) {
  const Result<std::string> text = read_file(join_path(run.folder, "state.json"));
  if (!text.ok()) return run.state.exit_status;  // it has removed itself
  const RunState state = TRY(parse_run_state(*text));
  return state.status == RunStatus::Exited ? state.exit_status : 128 + SIGKILL;
}

Result<int> ask_for_end(const KnownRun& run, Word word, const std::string& body) {
  if (!run.is_alive) return final_status(run);
  const Result<UniqueFd> socket = connect_to(run.folder, "socket");
  if (!socket.ok()) {
    if (socket.error().kind == ErrorKind::NotFound) return final_status(run);
    return socket.error();
  }
  (void)send_packet(socket->get(), word, body);
  while (const std::optional<Packet> packet = receive_packet(socket->get())) {
    if (packet->word != Word::Ended) continue;
    const auto numbers = parse_two_numbers(packet->body + " 0");
    if (numbers) return numbers->first;
  }
  return final_status(run);
}

}  // namespace

Result<void> signal_run(const KnownRun& run, int number) {
  if (!run.is_alive) return not_running(run);
  const Result<UniqueFd> socket = connect_to(run.folder, "socket");
  if (!socket.ok()) return not_running(run);
  (void)send_packet(socket->get(), Word::Signal, fmt::format("{}", number));
  const std::optional<Packet> answer = receive_packet(socket->get());
  if (answer && answer->word == Word::Refused) {
    return make_error(ErrorKind::Io, "`{}` gets no signal: {}", run.facts.name, answer->body);
  }
  return {};
}

Result<int> stop_run(const KnownRun& run, int number, int seconds) {
  return ask_for_end(run, Word::Stop, fmt::format("{} {}", number, seconds));
}

Result<int> wait_for_run(const KnownRun& run) { return ask_for_end(run, Word::Wait, ""); }

Result<int> parse_signal(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number > 0 &&
      number <= SIGRTMAX) {
    return number;
  }
  std::string name;
  for (const char c : text) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (name.starts_with("SIG")) name.erase(0, 3);
  std::vector<std::string> names;
  for (int known = 1; known < SIGRTMIN; ++known) {
    const char* abbreviation = ::sigabbrev_np(known);
    if (abbreviation == nullptr) continue;
    if (name == abbreviation) return known;
    names.emplace_back(abbreviation);
  }
  Error unknown = make_error(ErrorKind::InvalidInput, "there is no signal `{}`", text);
  const auto nearest = find_nearest(name, names);
  if (!nearest.empty()) unknown.hints.push_back(did_you_mean(nearest));
  return unknown;
}

Result<std::string> parse_detach_keys(std::string_view text) {
  std::string keys;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view key = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    static constexpr std::string_view kControl = "ctrl-";
    if (key.size() == 1) {
      keys += key[0];
    } else if (key.size() == kControl.size() + 1 && key.starts_with(kControl)) {
      keys += static_cast<char>(key.back() & 0x1f);
    } else {
      return make_error(ErrorKind::InvalidInput, "`{}` is no key", key)
          .hint("write `ctrl-p,ctrl-q`, or single letters");
    }
  }
  return keys;
}

}  // namespace slipway::run
