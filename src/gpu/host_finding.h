/// What the doctor says about one thing of this host.
#pragma once

#include <string>
#include <vector>

namespace slipway::gpu {

/// Ok: as it should be. Note: good to know, nothing to do. Warning: works, with a catch. Broken:
/// something that is there to be used cannot be used.
enum class Severity { Ok, Note, Warning, Broken };

/// "ok", "note", "warning", "broken".
const char* severity_name(Severity severity);

struct HostFinding {
  std::string id;     ///< `driver-mismatch`: stable, for scripts; listed in docs/formats/doctor.md
  std::string layer;  ///< gpu, driver, devices, container, system or image
  Severity severity = Severity::Ok;
  std::string message;  ///< what is so, one sentence, lower case, no full stop
  std::string symptom;  ///< how people meet it; empty where nothing is wrong
  std::string remedy;   ///< a command to copy, one a line; empty where there is none

  bool operator==(const HostFinding&) const = default;
};

using HostFindings = std::vector<HostFinding>;

}  // namespace slipway::gpu
