// Any text as what the doctor reads from a host and from a container.
#include "gpu/cdi_files.h"
#include "gpu/kernel_log.h"
#include "plan/doctor_report.h"
#include "plan/gpu_probe.h"
#include "run/host_state.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace slipway;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const std::string& path : gpu::parse_cdi_paths(text)) {
    if (!path.starts_with('/') || path.find('\n') != std::string::npos) __builtin_trap();
  }
  for (const gpu::XidMessage& xid : gpu::parse_xids(text)) (void)gpu::find_xid_meaning(xid.number);
  const std::string version = run::parse_runtime_version(text);
  if (version.find_first_not_of("0123456789.") != std::string::npos) __builtin_trap();
  const ProcessResult result{0, "slipway-probe " + text, text};
  for (const char* reason : {"", "there is none"}) {
    if (plan::judge_probe(result, {"x:1", reason}).empty()) __builtin_trap();
  }
  const std::string clean = plan::without_secrets(text, {"/home/ada", "ada", "engine"});
  if (clean.find("/home/ada/") != std::string::npos) __builtin_trap();
  return 0;
}
