// The program: words in, a command's work, an exit status out. Everything it says to people goes to
// standard error, data to standard output.
#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/io.h"
#include "base/open_files.h"
#include "cli/command_line.h"
#include "cli/print_error.h"
#include "cli/terminal_reporter.h"

namespace slipway::cli {
namespace {

const CancelToken& stop_request() {
  static const CancelToken token;
  return token;
}

/// The first Ctrl-C asks the work to stop where it loses nothing; the second ends the process.
void on_stop_signal(int signal) {
  if (stop_request().cancelled()) ::_exit(128 + signal);
  stop_request().cancel();
}

void catch_signals() {
  (void)stop_request();  // made before a handler can need it
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

int fail(const Error& error, TerminalReporter* reporter, const TerminalStyle& style) {
  if (reporter != nullptr) reporter->clear();
  FdSink people(2);
  (void)people.write(as_bytes(error_text(error, style.colour)));
  return exit_code(error.kind);
}

int run(const std::vector<std::string>& arguments) {
  const TerminalStyle style = read_terminal_style(2);
  auto parsed = parse_command_line(arguments);
  if (!parsed.ok()) return fail(parsed.error(), nullptr, style);
  if (const Text* text = std::get_if<Text>(&parsed.value())) {
    return print(text->text).ok() ? 0 : 1;
  }
  const Call& call = std::get<Call>(parsed.value());
  TerminalReporter reporter(2, style);
  Context context{call.folder, reporter, stop_request()};
  const Result<int> status = call.command->run(call.invocation, context);
  if (!status.ok()) {
    const int code = fail(status.error(), &reporter, style);
    // As with docker and podman: what `run` itself could not do is 125, so that it is not mistaken
    // for the command's own status.
    return call.command->name == "run" && code == 1 ? 125 : code;
  }
  return status.value();
}

}  // namespace
}  // namespace slipway::cli

int main(int argc, char** argv) {
  slipway::cli::catch_signals();
  slipway::allow_many_open_files();
  return slipway::cli::run({argv + 1, argv + argc});
}
