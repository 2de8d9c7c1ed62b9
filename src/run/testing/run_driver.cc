/// A command line over run_container for the system tests: what `slipway run` will do, without
/// images. Prints notes and errors to standard error; exits with the command's status or 125.
///
///   run_driver --layer DIR [--layer DIR …] --scratch DIR [options] -- COMMAND…
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/file.h"
#include "base/sandbox.h"
#include "base/size_text.h"
#include "base/user_namespace.h"
#include "run/container.h"

namespace {

using namespace slipway;
using namespace slipway::run;

class StderrReporter final : public Reporter {
 public:
  TaskId start(std::string_view, std::string_view, std::uint64_t) override { return 0; }
  void advance(TaskId, std::uint64_t) override {}
  void finish(TaskId) override {}
  void done(std::string_view line) override { say("done", line); }
  void note(std::string_view line) override { say("note", line); }
  void warn(std::string_view line) override { say("warning", line); }

 private:
  static void say(const char* what, std::string_view line) {
    fmt::print(stderr, "{}: {}\n", what, line);
  }
};

int fail(const Error& error) {
  fmt::print(stderr, "error: {}\n", error.message);
  for (const std::string& step : error.steps) fmt::print(stderr, "  while {}\n", step);
  for (const std::string& reason : error.because) fmt::print(stderr, "  because {}\n", reason);
  for (const std::string& hint : error.hints) fmt::print(stderr, "hint: {}\n", hint);
  return 125;
}

struct Options {
  RunRequest request;
  std::vector<std::string> volumes, ports;
  std::string memory, shm, runtime = "auto", network = "host";
  double cpus = 0;
  uid_t image_uid = 1000;
  bool is_ceiling = false, is_interactive = false, is_terminal = false, is_read_only = false;
  bool has_short_names = false;
  bool is_sandbox = false;
};

void declare(CLI::App& app, Options& o) {
  app.add_option("--layer", o.request.lower_folders)->required()->allow_extra_args(false);
  app.add_option("--scratch", o.request.runs_folder)->required();
  app.add_option("-v", o.volumes)->allow_extra_args(false);
  app.add_option("-e", o.request.environment)->allow_extra_args(false);
  app.add_option("-w", o.request.working_folder);
  app.add_option("--user", o.request.uid);
  app.add_option("--image-user", o.image_uid);
  app.add_option("--init", o.request.init_path);
  app.add_option("--memory", o.memory);
  app.add_option("--shm", o.shm);
  app.add_option("--cpus", o.cpus);
  app.add_option("--runtime", o.runtime)->check(CLI::IsMember({"auto", "crun", "runc"}));
  app.add_option("--network", o.network)->check(CLI::IsMember({"host", "none", "private"}));
  app.add_option("-p", o.ports)->allow_extra_args(false);
  app.add_option("--device", o.request.device_nodes)->allow_extra_args(false);
  app.add_flag("--ceiling", o.is_ceiling);
  app.add_flag("-i", o.is_interactive);
  app.add_flag("-t", o.is_terminal);
  app.add_flag("--read-only", o.is_read_only);
  app.add_flag("--short-names", o.has_short_names);
  app.add_flag("--sandbox", o.is_sandbox);  // base/sandbox.h instead of a container
  app.add_option("command", o.request.command)->required();
}

Result<void> translate(Options& o) {
  RunRequest& request = o.request;
  for (const std::string& text : o.volumes) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return make_error(ErrorKind::InvalidInput, "volume `{}`", text);
    Volume volume{text.substr(0, colon), text.substr(colon + 1), Access::ReadWrite};
    if (volume.target.ends_with(":ro")) {
      volume.target.resize(volume.target.size() - 3);
      volume.access = Access::ReadOnly;
    }
    request.volumes.push_back(std::move(volume));
  }
  for (const std::string& text : o.ports) request.ports.push_back(TRY(parse_port_map(text)));
  const Strictness strictness = o.is_ceiling ? Strictness::Ceiling : Strictness::Exact;
  if (!o.memory.empty()) request.limits.memory_bytes = {TRY(parse_size(o.memory)), strictness};
  if (!o.shm.empty()) request.limits.shm_bytes = {TRY(parse_size(o.shm)), strictness};
  if (o.cpus > 0) request.limits.cpus = {o.cpus, strictness};
  if (o.runtime == "crun") request.runtime = Runtime::Crun;
  if (o.runtime == "runc") request.runtime = Runtime::Runc;
  if (o.network == "none") request.network = Network::None;
  if (o.network == "private") request.network = Network::Private;
  if (o.is_interactive) request.input = Input::Ours;
  if (o.is_terminal) request.terminal = Terminal::Yes;
  if (o.is_read_only) request.root = Access::ReadOnly;
  if (o.has_short_names) request.overlay = RunRequest::OverlayPath::ShortNames;
  request.gid = request.uid;
  request.about.removes_itself = true;
  return {};
}

/// The layers with an upper folder, which stays in the scratch folder for the test to see.
Result<int> start_sandbox(const RunRequest& request) {
  SandboxRequest sandbox;
  const std::string& scratch = request.runs_folder;
  for (const char* name : {"root", "upper", "work"}) TRY(make_folders(join_path(scratch, name)));
  sandbox.root = join_path(scratch, "root");
  sandbox.overlay = {
      {request.lower_folders, join_path(scratch, "upper"), join_path(scratch, "work")}};
  sandbox.arguments = request.command;
  sandbox.environment = request.environment;
  const ProcessResult result = TRY(run_in_sandbox(sandbox, {}));
  fmt::print("{}", result.output);
  fmt::print(stderr, "{}", result.error_output);
  return result.status;
}

Result<int> start(Options& o) {
  TRY(translate(o));
  const NamespaceInfo space = TRY(enter_user_namespace({o.image_uid, o.image_uid, {}}));
  o.request.owner = {space.owner_uid, space.owner_gid};
  if (o.is_sandbox) return start_sandbox(o.request);
  StderrReporter reporter;
  return run_container(o.request, reporter, {});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"run_driver"};
  Options options;
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  const Result<int> status = start(options);
  return status.ok() ? *status : fail(status.error());
}
