#include <fmt/format.h>

#include <charconv>

#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/project_image.h"
#include "plan/run_image.h"

namespace slipway::cli {
namespace {

Result<std::optional<std::uint64_t>> find_size(const Invocation& call, const std::string& name) {
  const auto text = call.find(name);
  if (!text) return std::optional<std::uint64_t>();
  return std::optional(TRY_WHILE("reading `--" + name + "`", parse_size(*text)));
}

Result<std::optional<double>> find_cpus(const Invocation& call) {
  const auto text = call.find("cpus");
  if (!text) return std::optional<double>();
  double cpus = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), cpus);
  if (error != std::errc() || end != text->data() + text->size() || !(cpus > 0)) {
    return make_error(ErrorKind::InvalidInput, "`--cpus {}` is not a number of cores", *text)
        .hint("write a number above 0, like `--cpus 2` or `--cpus 0.5`");
  }
  return std::optional(cpus);
}

Result<plan::RunFlags> flags_of(const Invocation& call, const std::string& folder) {
  plan::RunFlags flags;
  flags.folder = TRY(absolute_path(folder));
  flags.command = call.after_dashes;
  if (call.operands.size() > 1) {
    flags.command.assign(call.operands.begin() + 1, call.operands.end());
    // As with docker, a `--` behind the command is the command's own.
    if (call.has_dashes) flags.command.push_back("--");
    flags.command.insert(flags.command.end(), call.after_dashes.begin(), call.after_dashes.end());
  }
  flags.mode = call.find("mode");
  flags.volumes = call.all("volume");
  flags.environment = call.all("env");
  flags.working_folder = call.find("workdir");
  flags.user = call.find("user");
  flags.memory_bytes = TRY(find_size(call, "memory"));
  flags.shm_bytes = TRY(find_size(call, "shm-size"));
  flags.cpus = TRY(find_cpus(call));
  if (const auto gpus = call.find("gpus")) flags.gpus = TRY(plan::parse_gpus(*gpus));
  flags.network = call.find("network").value_or("host");
  flags.host_name = call.find("hostname");
  if (call.has("read-only")) flags.root = plan::RunFlags::Root::ReadOnly;
  if (call.has("interactive")) flags.input = plan::RunFlags::Input::Ours;
  if (call.has("tty")) flags.terminal = plan::RunFlags::Terminal::Yes;
  return flags;
}

Result<int> run(const Invocation& call, Context& context) {
  const plan::RunFlags flags = TRY(flags_of(call, context.folder));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::StoredImage image = TRY(image_of(call, context, tools));
  std::optional<plan::ProjectFolder> project;
  if (call.operands.empty()) project = TRY(plan::open_project(context.folder));
  const plan::ImageIds ids = TRY(plan::find_image_ids(image, image.config.user, tools));
  TRY(act_as_root({ids.uid, ids.gid}, tools));
  return plan::run_image(image, flags, project ? &project->spec.resources : nullptr, tools);
}

}  // namespace

Command run_command() {
  return {"run",
          "start a container and wait for it; its exit status is ours",
          Operand::Rest,
          "IMAGE",
          {{"-v,--volume", "HOST:INSIDE[:ro]", "mount a folder or file; what is written is yours"},
           {"-e,--env", "NAME[=VALUE]", "set a variable, or pass yours on"},
           {"-w,--workdir", "FOLDER", "where the command starts"},
           {"-u,--user", "USER[:GROUP]", "names or numbers; the image's own user otherwise"},
           {"-m,--memory", "SIZE", "limit, like 32g; refused where it cannot be enforced"},
           {"--cpus", "NUMBER", "limit, like 8 or 0.5; likewise"},
           {"--shm-size", "SIZE", "size of /dev/shm, for DataLoader workers"},
           {"--gpus", "all|none|auto", "auto, the default: the GPUs, if there are any"},
           {"--network", "host|none", "host is the default"},
           {"--mode", "NAME", "run a command of [modes] in slipway.toml"},
           {"--hostname", "NAME", "the name of the machine inside"},
           {"--read-only", "", "no changes to the image's files"},
           {"--rm", "", "accepted for Docker's sake: containers never stay"},
           {"-i,--interactive", "", "pass standard input on"},
           {"-t,--tty", "", "give the command a terminal"}},
          {{"slipway run -- python train.py", "in a project: its image"},
           {"slipway run --gpus all -v $(pwd):/workspace --memory 32g -it pytorch-cuda:2.6 bash",
            "any image, with docker's words"}},
          run};
}

}  // namespace slipway::cli
