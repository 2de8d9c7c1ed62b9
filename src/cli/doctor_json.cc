#include <nlohmann/json.hpp>

#include "cli/doctor_text.h"

namespace slipway::cli {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

template <typename T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json driver_json(const gpu::DriverState& driver) {
  if (!driver.library_found && !driver.module_loaded) return {};
  return {{"version", text_or_null(driver.host.driver_version)},
          {"cuda_version", text_or_null(driver.host.cuda_version)},
          {"module_version", text_or_null(driver.module_version)},
          {"library_version", text_or_null(driver.library_version)},
          {"cuda_status", driver.cuda ? Json(driver.cuda->status) : Json()},
          {"open_module", driver.is_open_module},
          {"wsl", driver.is_wsl}};
}

Json gpu_json(const gpu::GpuState& state) {
  Json one{{"index", state.index}, {"status", state.status}};
  if (state.status != 0) {
    one["error"] = state.status_words;
    return one;
  }
  one["name"] = state.gpu.name;
  one["uuid"] = state.gpu.uuid;
  one["minor"] = state.gpu.minor;
  one["pci"] = text_or_null(state.pci_slot);
  one["compute_capability"] =
      fmt::format("{}.{}", state.gpu.compute_major, state.gpu.compute_minor);
  one["memory"] = state.gpu.memory_bytes;
  one["memory_used"] = value_or_null(state.used_bytes);
  one["processes"] = value_or_null(state.processes);
  one["temperature"] = value_or_null(state.celsius);
  one["persistence"] = value_or_null(state.persistence);
  one["ecc"] = value_or_null(state.ecc);
  one["mig"] = value_or_null(state.mig);
  one["mig_devices"] = state.mig_devices;
  return one;
}

const char* layout_name(run::CgroupLayout layout) {
  switch (layout) {
    case run::CgroupLayout::V1:
      return "v1";
    case run::CgroupLayout::Hybrid:
      return "hybrid";
    case run::CgroupLayout::V2:
      return "v2";
    case run::CgroupLayout::None:
      break;
  }
  return "none";
}

Json folder_json(const run::FolderState& folder) {
  return {{"path", folder.path},
          {"file_system", text_or_null(folder.file_system)},
          {"free", folder.free_bytes},
          {"writable", folder.is_writable}};
}

Json host_json(const run::HostState& machine) {
  Json runtimes = Json::array();
  for (const run::RuntimeVersion& runtime : machine.runtimes)
    runtimes.push_back({{"name", runtime.name}, {"version", text_or_null(runtime.version)}});
  return {{"system", text_or_null(machine.distribution.pretty_name)},
          {"kernel", text_or_null(machine.kernel_release)},
          {"runtimes", std::move(runtimes)},
          {"cgroups", layout_name(machine.cgroups)},
          {"limits", machine.can_limit},
          {"store", folder_json(machine.store)},
          {"cache", folder_json(machine.cache)},
          {"memory", machine.memory_bytes},
          {"memory_available", machine.available_bytes},
          {"cores", machine.cores}};
}

Json finding_json(const gpu::HostFinding& finding) {
  return {{"id", finding.id},
          {"layer", finding.layer},
          {"severity", severity_name(finding.severity)},
          {"message", finding.message},
          {"symptom", text_or_null(finding.symptom)},
          {"remedy", text_or_null(finding.remedy)}};
}

}  // namespace

std::string doctor_json(const plan::Diagnosis& diagnosis) {
  Json gpus = Json::array();
  for (const gpu::GpuState& state : diagnosis.driver.gpus) gpus.push_back(gpu_json(state));
  Json findings = Json::array();
  for (const gpu::HostFinding& finding : diagnosis.findings)
    findings.push_back(finding_json(finding));
  const Json answer{{"schema", 1},
                    {"verdict", diagnosis.is_broken() ? "broken" : "ok"},
                    {"summary", doctor_summary(diagnosis)},
                    {"driver", driver_json(diagnosis.driver)},
                    {"gpus", std::move(gpus)},
                    {"host", host_json(diagnosis.machine)},
                    {"findings", std::move(findings)}};
  // Names come from the host: what is no UTF-8 must not end the program.
  return answer.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace slipway::cli
