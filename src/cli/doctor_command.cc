#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/environment.h"
#include "base/file.h"
#include "base/own_program.h"
#include "cli/all_commands.h"
#include "cli/doctor_text.h"
#include "cli/terminal_reporter.h"
#include "cli/version.h"
#include "plan/doctor.h"
#include "plan/doctor_report.h"

namespace slipway::cli {
namespace {

constexpr int kBroken = 3;
constexpr std::size_t kWidest = 100;

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(1, TIOCGWINSZ, &size) != 0 || size.ws_col < 50) return kWidest;
  return std::min<std::size_t>(size.ws_col, kWidest);
}

/// This very program: a run enters a user namespace, which is for a process at its start, and its
/// container's words are to be kept apart from ours.
Result<ProcessResult> run_ourselves(const std::vector<std::string>& words,
                                    const CancelToken& cancel) {
  std::vector<std::string> arguments{TRY(find_own_program()), "run"};
  arguments.insert(arguments.end(), words.begin(), words.end());
  ProcessOptions options;
  options.cancel = cancel;
  return run_process(arguments, options);
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  plan::DoctorRequest request;
  // For tests: a host made of files (docs/formats/doctor.md).
  request.host.root = find_environment("SLIPWAY_HOST_ROOT").value_or("/");
  request.host.caller = gpu::Caller::current();
  request.unix_time = std::time(nullptr);
  if (!call.operands.empty()) request.image = call.operands[0];
  request.run = [&](const std::vector<std::string>& words) {
    return run_ourselves(words, context.cancel);
  };
  const plan::Diagnosis diagnosis = TRY(plan::examine_host(request, tools));
  if (const auto file = call.find("report")) {
    TRY(write_file(*file, plan::make_report(diagnosis, kVersion, plan::Secrets::current())));
    context.reporter.note(fmt::format("wrote `{}`; read it before you send it", *file));
  }
  TRY(print(call.has("json")
                ? doctor_json(diagnosis)
                : doctor_table(diagnosis, read_terminal_style(1).colour, terminal_columns())));
  return diagnosis.is_broken() ? kBroken : 0;
}

}  // namespace

Command doctor_command() {
  return {"doctor",
          "look for what keeps this host from running images, and say what mends it",
          Operand::Optional,
          "IMAGE",
          {json_option(),
           {"--report", "FILE", "also write a bug report, without names, paths or secrets"}},
          {{"slipway doctor", "GPU, driver, devices, containers, disk; 3 if something is broken"},
           {"slipway doctor pytorch-cuda:2.6", "also multiply on the GPU, in that image"}},
          run};
}

}  // namespace slipway::cli
