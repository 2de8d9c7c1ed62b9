#include "plan/doctor_report.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/environment.h"
#include "base/size_text.h"

namespace slipway::plan {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

/// Names that are words of our own texts, and say nothing of anybody.
bool is_common(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kCommon{"root", "nvidia",   "ubuntu", "debian",
                                                            "user", "slipway",  "docker", "torch",
                                                            "host", "localhost"};
  return name.empty() || std::find(kCommon.begin(), kCommon.end(), name) != kCommon.end();
}

/// Whole words only: `ann` is not in `cannot`.
void replace_words(std::string& text, std::string_view word, std::string_view by) {
  if (is_common(word)) return;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    const std::size_t end = at + word.size();
    const bool is_whole =
        (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
    if (is_whole) {
      text.replace(at, word.size(), by);
      at += by.size();
    } else {
      at = end;
    }
  }
}

void replace_home(std::string& text, const std::string& home) {
  if (home.size() < 2) return;
  for (std::size_t at = text.find(home); at != std::string::npos; at = text.find(home, at)) {
    const std::size_t end = at + home.size();
    if (end < text.size() && is_word(text[end])) {
      at = end;
    } else {
      text.replace(at++, home.size(), "~");
    }
  }
}

/// `<start>SECRET` up to one of `ends` becomes `<start><by>`.
void replace_after(std::string& text, std::string_view start, std::string_view ends,
                   std::string_view by) {
  for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at)) {
    at += start.size();
    const std::size_t end = std::min(text.find_first_of(ends, at), text.size());
    if (end > at) text.replace(at, end - at, by);
  }
}

void replace_credentials(std::string& text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
    at += 3;
    const std::size_t end = std::min(text.find_first_of(" \t\n/\"'`", at), text.size());
    const std::size_t sign = text.rfind('@', end);
    if (sign != std::string::npos && sign > at && sign < end) text.replace(at, sign - at, "***");
  }
  for (const std::string_view word : {"token=", "password=", "secret=", "key=", "TOKEN=",
                                      "PASSWORD=", "SECRET=", "KEY=", "Bearer "})
    replace_after(text, word, " \t\n\"'`&;,", "***");
}

const char* layout_name(run::CgroupLayout layout) {
  constexpr std::array<const char*, 4> kNames{"none", "v1", "hybrid", "v2"};
  return kNames.at(static_cast<std::size_t>(layout));
}

std::string facts_of_gpus(const gpu::DriverState& driver) {
  std::string text =
      fmt::format("- driver: NVML {}, kernel module {}, library {}, CUDA {}{}{}\n",
                  driver.library_found ? fmt::format("status {}", driver.nvml_status) : "not found",
                  driver.module_loaded ? driver.module_version : "not loaded",
                  driver.library_version.empty() ? "-" : driver.library_version,
                  driver.host.cuda_version.empty() ? "-" : driver.host.cuda_version,
                  driver.is_open_module ? ", open" : "", driver.is_wsl ? ", WSL2" : "");
  if (driver.cuda)
    text += fmt::format("- CUDA: status {} ({}), {} GPUs\n", driver.cuda->status,
                        driver.cuda->words, driver.cuda->devices);
  for (const gpu::PciGpu& pci : driver.pci)
    text += fmt::format("- PCI {}: {} bound to {}\n", pci.slot, pci.id,
                        pci.driver.empty() ? "nothing" : pci.driver);
  for (const gpu::GpuState& one : driver.gpus) {
    if (one.status != 0) {
      text += fmt::format("- GPU {}: status {} ({})\n", one.index, one.status, one.status_words);
      continue;
    }
    text += fmt::format(
        "- GPU {}: {}, {}.{}, minor {}, {} of {}, MIG {}, persistence {}, {} processes\n",
        one.index, one.gpu.name, one.gpu.compute_major, one.gpu.compute_minor, one.gpu.minor,
        memory_text(one.used_bytes.value_or(0)), memory_text(one.gpu.memory_bytes),
        one.mig ? fmt::format("{} ({})", *one.mig ? "on" : "off", one.mig_devices) : "-",
        one.persistence ? (*one.persistence ? "on" : "off") : "-",
        one.processes ? fmt::format("{}", *one.processes) : "?");
  }
  for (const gpu::DeviceNode& node : driver.nodes)
    text += fmt::format("- {}: {}\n", node.path,
                        node.exists ? fmt::format("mode {:03o}, group {}", node.mode, node.group)
                                    : std::string("missing"));
  return text;
}

std::string facts_of_machine(const run::HostState& machine) {
  std::string runtimes;
  for (const run::RuntimeVersion& runtime : machine.runtimes)
    runtimes += fmt::format("{}{} {}", runtimes.empty() ? "" : ", ", runtime.name, runtime.version);
  std::string text = fmt::format(
      "- system: {}, kernel {}{}\n- runtimes: {}\n- cgroups: {}, limits {}\n"
      "- userns_clone {}, max_user_namespaces {}, apparmor_restrict {}\n"
      "- newuidmap {}, {} subordinate uids, {} gids\n",
      machine.distribution.pretty_name, machine.kernel_release,
      machine.in_container ? ", in a container" : "", runtimes.empty() ? "none" : runtimes,
      layout_name(machine.cgroups), machine.can_limit ? "work" : "do not work",
      machine.userns_clone, machine.max_user_namespaces, machine.apparmor_userns,
      machine.uidmap_is_privileged ? "works"
      : machine.has_uidmap         ? "without rights"
                                   : "missing",
      machine.subordinate_uids, machine.subordinate_gids);
  if (machine.mounts) {
    text += fmt::format("- tried: namespaces errno {}, overlay errno {}\n",
                        machine.mounts->namespace_error, machine.mounts->overlay_error);
  }
  for (const run::FolderState* folder : {&machine.store, &machine.cache})
    text += fmt::format("- {}: {}, {} free\n", folder->path, folder->file_system,
                        size_text(folder->free_bytes));
  return text + fmt::format("- memory {} of {}, {:g} cores\n", memory_text(machine.available_bytes),
                            memory_text(machine.memory_bytes), machine.cores);
}

}  // namespace

Secrets Secrets::current() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) name[0] = '\0';
  return {find_environment("HOME").value_or(""), gpu::Caller::current().name, name.data()};
}

std::string without_secrets(std::string_view text, const Secrets& secrets) {
  std::string clean(text);
  replace_home(clean, secrets.home);
  replace_after(clean, "/home/", "/ \t\n\"'`:,;", "user");
  replace_words(clean, secrets.user_name, "user");
  replace_words(clean, secrets.host_name, "host");
  replace_credentials(clean);
  return clean;
}

std::string make_report(const Diagnosis& diagnosis, std::string_view slipway_version,
                        const Secrets& secrets) {
  std::string text =
      fmt::format("# slipway doctor\n\nslipway {}\n\n## Findings\n\n", slipway_version);
  for (const gpu::HostFinding& finding : diagnosis.findings) {
    text += fmt::format("- {} {} ({}): {}\n", severity_name(finding.severity), finding.id,
                        finding.layer, finding.message);
  }
  text += "\n## Facts\n\n" + facts_of_gpus(diagnosis.driver) + facts_of_machine(diagnosis.machine);
  return without_secrets(text, secrets);
}

}  // namespace slipway::plan
