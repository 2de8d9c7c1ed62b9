#include "plan/doctor.h"

#include <algorithm>

#include "gpu/cdi_files.h"
#include "gpu/driver_findings.h"
#include "plan/gpu_probe.h"
#include "plan/stored_images.h"
#include "run/host_findings.h"

namespace slipway::plan {
namespace {

void append(gpu::HostFindings& all, gpu::HostFindings part) {
  for (gpu::HostFinding& finding : part) all.push_back(std::move(finding));
}

/// Root needs no `sudo`, and where everybody is root there is often none.
std::string without_sudo(std::string command) {
  constexpr std::string_view kSudo = "sudo ";
  for (std::size_t at = command.find(kSudo); at != std::string::npos;
       at = command.find(kSudo, at)) {
    command.erase(at, command.substr(at).starts_with("sudo -E ") ? 8 : kSudo.size());
  }
  return command;
}

std::string why_no_gpu(const gpu::DriverState& driver) {
  if (gpu::has_working_gpu(driver) && driver.host.missing.empty()) return "";
  if (driver.pci.empty() && !driver.module_loaded && !driver.is_wsl) return "this machine has none";
  return driver.host.missing.empty() ? "the GPU does not work (see above)" : driver.host.missing;
}

Result<gpu::HostFindings> probe_image(const DoctorRequest& request, const Tools& tools,
                                      const gpu::DriverState& driver) {
  const StoredImage image = TRY(find_stored_image(*request.image, tools));
  const ProbeSubject subject{image.reference, why_no_gpu(driver)};
  std::vector<std::string> words{"--gpus",        subject.no_gpu_because.empty() ? "all" : "none",
                                 "--network",     "none",
                                 image.reference, "--"};
  const std::vector<std::string> command = probe_command();
  words.insert(words.end(), command.begin(), command.end());
  tools.reporter.note(fmt::format("multiplying in a container of {}", image.reference));
  return judge_probe(TRY(request.run(words)), subject);
}

}  // namespace

std::size_t Diagnosis::count(gpu::Severity severity) const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const gpu::HostFinding& finding) { return finding.severity == severity; }));
}

bool Diagnosis::has_gpu() const { return gpu::has_working_gpu(driver); }

Result<Diagnosis> examine_host(const DoctorRequest& request, const Tools& tools) {
  Diagnosis diagnosis;
  diagnosis.driver = TRY(gpu::read_driver_state(request.host));
  append(diagnosis.findings, gpu::judge_driver_state(diagnosis.driver, request.host.caller));
  append(diagnosis.findings,
         gpu::judge_cdi_files(request.host, diagnosis.driver.host.driver_version));
  diagnosis.machine = run::read_host_state(
      {request.host, tools.store_folder, tools.cache_folder, request.unix_time});
  append(diagnosis.findings, run::judge_host_state(diagnosis.machine, request.host.caller));
  if (request.image) append(diagnosis.findings, TRY(probe_image(request, tools, diagnosis.driver)));
  if (request.host.caller.uid == 0) {
    for (gpu::HostFinding& finding : diagnosis.findings)
      finding.remedy = without_sudo(std::move(finding.remedy));
  }
  return diagnosis;
}

}  // namespace slipway::plan
