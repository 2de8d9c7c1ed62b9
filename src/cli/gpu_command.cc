#include "base/environment.h"
#include "base/file.h"
#include "cli/all_commands.h"
#include "cli/gpu_text.h"

namespace slipway::cli {
namespace {

Result<gpu::HostGpuOptions> options_of(const Invocation& call) {
  gpu::HostGpuOptions options;
  // For tests: a host made of files (docs/formats/gpu.md).
  options.root = find_environment("SLIPWAY_HOST_ROOT").value_or("/");
  if (const auto folder = call.find("driver-root"))
    options.driver_root = TRY(absolute_path(*folder));
  return options;
}

Error no_gpu(const std::string& missing) {
  return make_error(ErrorKind::Unsupported, "{}", missing)
      .hint("`slipway doctor` says what mends it");
}

Result<int> list(const Invocation& call, Context& context) {
  if (call.has("output")) {
    return make_error(ErrorKind::InvalidInput, "`--output` is for `slipway gpu cdi`");
  }
  const plan::Tools tools = TRY(plan::find_tools(context.reporter, context.cancel));
  const gpu::HostGpuOptions options = TRY(options_of(call));
  const gpu::HostView host{options.root, gpu::Caller::current()};
  const plan::GpuList gpus = TRY(plan::list_gpus(host, options, tools));
  if (call.has("json")) TRY(print(gpu_json(gpus)));
  if (gpus.host.gpus.empty()) return no_gpu(gpus.host.missing);
  if (!call.has("json")) TRY(print(gpu_table(gpus)));
  if (!gpus.host.missing.empty()) context.reporter.warn(gpus.host.missing);
  return 0;
}

Result<int> write_cdi(const Invocation& call, Context& context) {
  const gpu::HostGpuOptions options = TRY(options_of(call));
  const gpu::CdiSpec spec = TRY(plan::make_host_cdi(options));
  for (const std::string& text : spec.left_out) context.reporter.warn("left out: " + text);
  const auto file = call.find("output");
  if (!file) {
    TRY(print(cdi_json(spec)));
    return 0;
  }
  TRY(write_file(*file, cdi_json(spec)));
  context.reporter.note(
      fmt::format("wrote `{}`: {} devices of {}", *file, spec.devices.size(), spec.kind));
  return 0;
}

Result<int> run(const Invocation& call, Context& context) {
  const std::string& what = call.operands.at(0);
  if (what == "list") return list(call, context);
  if (what == "cdi") return write_cdi(call, context);
  return make_error(ErrorKind::InvalidInput, "`slipway gpu` knows no `{}`", what)
      .hint("it is `slipway gpu list` or `slipway gpu cdi`");
}

}  // namespace

Command gpu_command() {
  return {
      "gpu",
      "list this host's GPUs and who uses them, or write the CDI file for other engines",
      Operand::Required,
      "list|cdi",
      {json_option(),
       {"--output", "FILE", "cdi: write it there, whole or not at all; else to standard output"},
       {"--driver-root", "DIR", "where the driver is installed, if not at /"}},
      {{"slipway gpu list", "name, memory, UUID and MIG, and the runs that use each GPU"},
       {"slipway gpu cdi --output /etc/cdi/nvidia.json",
        "then `podman run --device nvidia.com/gpu=all …`, without hooks"}},
      run};
}

}  // namespace slipway::cli
