#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/size_text.h"
#include "cli/acting_as_root.h"
#include "cli/all_commands.h"
#include "cli/project_image.h"
#include "plan/cdi_devices.h"
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

Result<int> find_number(const Invocation& call, const std::string& name) {
  const std::string text = call.find(name).value_or("");
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < -1) {
    return make_error(ErrorKind::InvalidInput, "`--{} {}` is not a number of seconds", name, text);
  }
  return number;
}

Result<plan::RunFlags::CudaCompat> find_cuda_compat(const Invocation& call) {
  using CudaCompat = plan::RunFlags::CudaCompat;
  const std::string word = call.find("cuda-compat").value_or("auto");
  if (word == "auto") return CudaCompat::Automatic;
  if (word == "never") return CudaCompat::Never;
  return make_error(ErrorKind::InvalidInput, "`--cuda-compat {}` cannot be read", word)
      .hint("use `auto` or `never`");
}

Result<void> read_log_options(const Invocation& call, run::LogLimits& limits) {
  for (const std::string& option : call.all("log-opt")) {
    const std::string value = option.substr(std::min(option.find('=') + 1, option.size()));
    int count = 0;
    if (option.starts_with("max-size=")) {
      limits.most_bytes = std::max<std::uint64_t>(TRY(parse_size(value)), 4096);
    } else if (option.starts_with("max-file=") &&
               std::from_chars(value.data(), value.data() + value.size(), count).ec ==
                   std::errc() &&
               count >= 1 && count <= 100) {
      limits.most_files = count;
    } else {
      return make_error(ErrorKind::InvalidInput, "`--log-opt {}` cannot be read", option)
          .hint("write `--log-opt max-size=16m` or `--log-opt max-file=2`");
    }
  }
  return {};
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
  if (const auto gpus = call.find("gpus")) flags.gpus = TRY(gpu::parse_gpu_choice(*gpus));
  flags.cuda_compat = TRY(find_cuda_compat(call));
  flags.network = call.find("network");
  flags.ports = call.all("publish");
  flags.host_name = call.find("hostname");
  flags.environment_files = call.all("env-file");
  flags.ulimits = call.all("ulimit");
  flags.tmpfs = call.all("tmpfs");
  flags.devices = call.all("device");
  flags.cdi_folders = call.all("cdi-spec-dir");
  if (call.has("without-hooks")) flags.hooks = plan::RunFlags::Hooks::LeftOut;
  flags.labels = call.all("label");
  flags.groups = call.all("group-add");
  flags.entrypoint = call.find("entrypoint");
  flags.name = call.find("name").value_or("");
  flags.restart = call.find("restart").value_or("no");
  flags.id_file = call.find("cidfile").value_or("");
  flags.stop_signal = call.find("stop-signal").value_or("");
  if (call.has("stop-timeout")) flags.stop_seconds = TRY(find_number(call, "stop-timeout"));
  TRY(read_log_options(call, flags.log));
  if (call.has("detach")) flags.attendance = plan::RunFlags::Attendance::Detached;
  if (call.has("rm")) flags.afterwards = plan::RunFlags::Afterwards::Removed;
  if (call.has("init")) flags.init = plan::RunFlags::Init::Wanted;
  if (call.has("record-reads")) flags.reads = plan::RunFlags::Reads::Noted;
  if (call.has("verify")) flags.check = plan::RunFlags::Check::Yes;
  if (call.has("read-only")) flags.root = plan::RunFlags::Root::ReadOnly;
  if (call.has("interactive")) flags.input = plan::RunFlags::Input::Ours;
  if (call.has("tty")) flags.terminal = plan::RunFlags::Terminal::Yes;
  return flags;
}

Result<int> run(const Invocation& call, Context& context) {
  plan::RunFlags flags = TRY(flags_of(call, context.folder));
  TRY(plan::find_cdi_devices(flags));
  plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const plan::StoredImage image = TRY(image_of(call, context, tools));
  std::optional<plan::ProjectFolder> project;
  if (call.operands.empty()) project = TRY(plan::open_project(context.folder));
  TRY(act_as_root_for(image, tools));
  const plan::RunEnd end =
      TRY(plan::run_image(image, flags, project ? &project->spec.resources : nullptr, tools));
  if (!end.id.empty()) TRY(print(end.id + "\n"));
  return end.status;
}

}  // namespace

Command run_command() {
  return {
      "run",
      "start a container; without -d wait for it: its exit status is ours",
      Operand::Rest,
      "IMAGE",
      {{"-d,--detach", "", "leave it running, and print its id"},
       {"--name", "NAME", "call it so; two words are found otherwise"},
       {"-v,--volume", "HOST:INSIDE[:ro]", "mount a folder or file; what is written is yours"},
       {"-e,--env", "NAME[=VALUE]", "set a variable, or pass yours on"},
       {"--env-file", "FILE", "variables, one a line"},
       {"-w,--workdir", "FOLDER", "where the command starts"},
       {"-u,--user", "USER[:GROUP]", "names or numbers; the image's own user otherwise"},
       {"-m,--memory", "SIZE", "limit, like 32g; refused where it cannot be enforced"},
       {"--cpus", "NUMBER", "limit, like 8 or 0.5; likewise"},
       {"--shm-size", "SIZE", "size of /dev/shm, for DataLoader workers"},
       {"--gpus", "GPUS",
        "all, none, how many, or which: `0,2`, `GPU-…`, `MIG-…`; auto, the default: all there are"},
       {"--cuda-compat", "auto|never",
        "the image's own libcuda where it may stand in for an older driver; auto is the default"},
       {"-p,--publish", "[IP:]HOST:INSIDE", "a port of this machine leads inside"},
       {"--network", "host|none|private", "host is the default; private with -p"},
       {"--mode", "NAME", "run a command of [modes] in slipway.toml"},
       {"-h,--hostname", "NAME", "the name of the machine inside"},
       {"--read-only", "", "no changes to the image's files"},
       {"--rm", "", "keep nothing of it once it has ended"},
       {"--init", "", "an init as process 1, the machine's where the image starts without one"},
       {"--record-reads", "", "note which files of the image are read, for `pull --lazy`"},
       {"--verify", "", "before the command: is everything as planned, does CUDA compute?"},
       {"--restart", "POLICY", "no, on-failure[:N], always or unless-stopped; with -d"},
       {"--entrypoint", "COMMAND", "in place of the image's"},
       {"--tmpfs", "PATH[:OPTIONS]", "a file system in memory there"},
       {"--device", "DEVICE",
        "a device node of the host's, or a CDI device: `vendor.com/class=name`, "
        "`nvidia.com/gpu=NAME`, `nvidia.com/gds=all`, mofed, gdrcopy, imex-channel=N"},
       {"--cdi-spec-dir", "FOLDER", "where CDI files lie, in place of /etc/cdi and /var/run/cdi"},
       {"--without-hooks", "", "do without hooks of CDI devices that Slipway cannot replace"},
       {"--ulimit", "NAME=SOFT[:HARD]", "a resource limit, like nofile=1024"},
       {"--group-add", "GROUP", "one more group"},
       {"-l,--label", "NAME=VALUE", "kept with the run, for `ps --filter`"},
       {"--stop-signal", "SIGNAL", "what `stop` sends; SIGTERM otherwise"},
       {"--stop-timeout", "SECONDS", "until `stop` kills; 10 otherwise"},
       {"--log-opt", "NAME=VALUE", "max-size=16m, max-file=2"},
       {"--cidfile", "FILE", "write the id there"},
       {"-i,--interactive", "", "pass standard input on"},
       {"-t,--tty", "", "give the command a terminal"}},
      {{"slipway run -- python train.py", "in a project: its image"},
       {"slipway run --gpus all -v $(pwd):/workspace --memory 32g -it pytorch-cuda:2.6 bash",
        "any image, with docker's words"}},
      run};
}

}  // namespace slipway::cli
