#include <fmt/format.h>

#include "base/file.h"
#include "cli/all_commands.h"
#include "cli/check_text.h"
#include "cli/image_operand.h"
#include "cli/project_image.h"
#include "cli/terminal_reporter.h"
#include "cli/words.h"
#include "plan/archive_environment.h"
#include "plan/check_environment.h"
#include "plan/project_folder.h"

namespace slipway::cli {
namespace {

constexpr int kBroken = 3, kUnknown = 1;

Result<void> check_glibc(const std::string& text) {
  if (text.starts_with("2.") && text.find_first_not_of("0123456789.") == std::string::npos)
    return {};
  return make_error(ErrorKind::InvalidInput, "`{}` is not a glibc version", text)
      .hint("write it as `ldd --version` shows it, like `2.28`");
}

/// The hosts that were asked about: a fleet, the options, else the project's target.
Result<std::vector<spec::FleetHost>> hosts_of(const Invocation& call, const Context& context) {
  std::vector<spec::FleetHost> hosts;
  if (const auto file = call.find("fleet")) {
    const std::string path = join_path(context.folder, *file);
    const std::string text = TRY(read_file(path));
    hosts = TRY(spec::parse_fleet(text, *file));
  }
  const bool asks =
      call.has("gpu") || call.has("driver") || call.has("glibc") || call.has("cuda-compat");
  if (!hosts.empty() && asks)
    return make_error(ErrorKind::InvalidInput,
                      "`--fleet` says all of `--gpu`, `--driver`, `--glibc`, `--cuda-compat`");
  if (asks) {
    hosts.push_back({"", split_commas(call.all("gpu")), call.find("driver").value_or(""),
                     call.find("glibc").value_or(""), call.find("cuda-compat").value_or("")});
  }
  if (hosts.empty()) {
    const auto project = plan::open_project(context.folder);
    if (project.ok())
      hosts.push_back({"", project->spec.target.gpus, project->spec.target.driver, "",
                       project->spec.target.cuda_compat});
    if (!project.ok() && project.error().kind != ErrorKind::NotFound) return project.error();
  }
  if (hosts.empty()) hosts.emplace_back();
  for (const spec::FleetHost& host : hosts) {
    if (!host.glibc.empty()) TRY(check_glibc(host.glibc));
  }
  return hosts;
}

Result<plan::CheckedEnvironment> lock_environment(const std::string& path,
                                                  const plan::Tools& tools) {
  const std::string text = TRY(read_file(path));
  const spec::Lock lock = TRY(spec::parse_lock(text, path));
  // The project beside it may name indexes of its own.
  const auto project = plan::open_project(parent_path(path));
  const bool is_of_project = project.ok() && project->lock_file() == path;
  return plan::read_lock_environment(
      path, lock, is_of_project ? project->spec.python.indexes : std::vector<spec::PythonIndex>(),
      tools);
}

Result<plan::CheckedEnvironment> named_environment(const std::string& name, const Context& context,
                                                   const plan::Tools& tools) {
  const std::string path = TRY(absolute_path(join_path(context.folder, name)));
  if (name.ends_with(".lock") && path_exists(path)) return lock_environment(path, tools);
  if (const auto archive = find_archive_path(name, context, tools))
    return plan::read_archive_environment(*archive, tools);
  if (name.starts_with("./") || name.starts_with("../") || name.starts_with('/'))
    return make_error(ErrorKind::NotFound, "there is no image at `{}`", name);
  const plan::StoredImage image = TRY(plan::find_stored_image(name, tools));
  return plan::read_image_environment(image, tools);
}

/// The project's image, else its lock.
Result<plan::CheckedEnvironment> project_environment(const Context& context,
                                                     const plan::Tools& tools) {
  const plan::ProjectFolder project = TRY(plan::open_project(context.folder));
  const std::string reference = project.spec.image.reference();
  Result<plan::StoredImage> image = plan::find_stored_image(reference, tools);
  if (image.ok()) return plan::read_image_environment(image.value(), tools);
  if (image.error().kind != ErrorKind::NotFound) return image.error();
  if (path_exists(project.lock_file())) return lock_environment(project.lock_file(), tools);
  return make_error(ErrorKind::NotFound, "`{}` is not built, and there is no slipway.lock",
                    reference)
      .hint("`slipway lock` or `slipway build` makes something to check");
}

Result<int> run(const Invocation& call, Context& context) {
  if (call.has("venv") && !call.operands.empty())
    return make_error(ErrorKind::InvalidInput, "`--venv` and `{}` are two things to check",
                      call.operands[0]);
  std::vector<gpu::HostQuestion> questions;
  const std::vector<spec::FleetHost> hosts = TRY(hosts_of(call, context));
  for (const spec::FleetHost& host : hosts) {
    questions.push_back(TRY_WHILE(
        host.name.empty() ? "reading what is asked" : fmt::format("reading host `{}`", host.name),
        plan::make_question(host)));
  }
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  Result<plan::CheckedEnvironment> environment =
      call.has("venv")
          ? plan::read_folder_environment(join_path(context.folder, *call.find("venv")), tools)
      : call.operands.empty() ? project_environment(context, tools)
                              : named_environment(call.operands[0], context, tools);
  if (!environment.ok()) return std::move(environment).error();

  std::vector<plan::HostVerdict> verdicts;
  for (const gpu::HostQuestion& question : questions) {
    TRY(context.cancel.check());
    verdicts.push_back(plan::check_environment(environment.value(), question));
  }
  TRY(print(call.has("json")
                ? check_json(verdicts)
                : check_table(environment->name, verdicts, read_terminal_style(1).colour)));
  const gpu::Verdict worst = worst_of(verdicts);
  return worst == gpu::Verdict::Broken ? kBroken : worst == gpu::Verdict::Unknown ? kUnknown : 0;
}

}  // namespace

Command check_command() {
  return {"check",
          "prove that an environment runs on given GPUs and drivers; needs none of them",
          Operand::Optional,
          "IMAGE|LOCK|LAYOUT|ARCHIVE",
          {{"--gpu", "NAME", "a GPU, like h100, `rtx 4090` or sm_90 (repeatable)"},
           {"--driver", "VERSION", "the host's driver, like 550.54.15 or 550"},
           {"--glibc", "VERSION", "the host's C library, for a lock or a plain environment"},
           {"--cuda-compat", "VERSION", "NVIDIA's cuda-compat of that CUDA, which the host brings"},
           {"--venv", "PATH", "check a virtual environment or a folder of unpacked wheels"},
           {"--fleet", "FILE", "check every host of a fleet.toml"},
           json_option()},
          {{"slipway check", "the project's image, or its lock, on the project's target"},
           {"slipway check pytorch-cuda:2.6 --gpu rtx-5090 --driver 570", "will it run there?"}},
          run};
}

}  // namespace slipway::cli
