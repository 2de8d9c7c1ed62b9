#include <unistd.h>

#include "base/environment.h"
#include "cli/all_commands.h"
#include "plan/runs.h"

namespace slipway::cli {
namespace {

Result<std::vector<std::string>> environment_of(const Invocation& call) {
  std::vector<std::string> environment;
  if (call.has("tty")) environment.push_back("TERM=" + find_environment("TERM").value_or("xterm"));
  for (const std::string& text : call.all("env")) {
    if (text.empty() || text[0] == '=') {
      return make_error(ErrorKind::InvalidInput, "`--env {}` cannot be read", text)
          .hint("write `--env NAME=value`, or `--env NAME` to pass yours on");
    }
    if (text.find('=') != std::string::npos) {
      environment.push_back(text);
    } else if (const auto value = find_environment(text.c_str())) {
      environment.push_back(text + "=" + *value);
    }
  }
  return environment;
}

Result<int> run(const Invocation& call, Context& context) {
  if (call.operands.empty()) {
    return make_error(ErrorKind::InvalidInput, "`slipway exec` needs a run and a command")
        .hint("usage: slipway exec [OPTIONS] RUN COMMAND...");
  }
  run::ExecRequest request;
  request.command.assign(call.operands.begin() + 1, call.operands.end());
  if (call.has_dashes && !request.command.empty()) request.command.emplace_back("--");
  request.command.insert(request.command.end(), call.after_dashes.begin(), call.after_dashes.end());
  if (request.command.empty()) {
    return make_error(ErrorKind::InvalidInput, "`slipway exec {}` needs a command",
                      call.operands.front())
        .hint("`slipway exec -it RUN bash` looks around inside");
  }
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const run::KnownRun found = TRY(plan::find_run(call.operands.front(), tools));
  request.environment = TRY(environment_of(call));
  request.working_folder = call.find("workdir");
  if (const auto user = call.find("user")) {
    const plan::RunUser ids = TRY(plan::find_run_user(found, *user, tools));
    request.uid = ids.uid;
    request.gid = ids.gid;
  }
  if (call.has("interactive")) request.input = run::Input::Ours;
  if (call.has("detach")) request.detach = run::ExecRequest::Detach::Yes;
  if (call.has("tty")) {
    if (call.has("detach") || ::isatty(0) == 0 || ::isatty(1) == 0) {
      return make_error(ErrorKind::InvalidInput, "`--tty` needs a terminal, and there is none here")
          .hint("leave out `-t`");
    }
    request.terminal = run::Terminal::Yes;
  }
  return run::exec_in_run(found, request, tools.reporter);
}

}  // namespace

Command exec_command() {
  return {"exec",
          "run one more command in a run that goes on",
          Operand::Rest,
          "RUN",
          {{"-i,--interactive", "", "pass standard input on"},
           {"-t,--tty", "", "give the command a terminal"},
           {"-d,--detach", "", "do not wait for it, and drop what it writes"},
           {"-e,--env", "NAME[=VALUE]", "set a variable, or pass yours on"},
           {"-w,--workdir", "FOLDER", "where the command starts"},
           {"-u,--user", "USER[:GROUP]", "names or numbers; the run's own user otherwise"}},
          {{"slipway exec -it train bash", "look around inside"},
           {"slipway exec train nvidia-smi", "one command, its output and its status"}},
          run};
}

}  // namespace slipway::cli
