/// A CDI specification: what a vendor says a container needs for its devices (Container Device
/// Interface, SPEC.md, versions 0.3.0 to 1.1.0), as /etc/cdi/*.yaml and *.json hold it.
///
/// What is taken and what is refused is what CDI's own library takes and refuses (pkg/cdi 1.1.1,
/// tests/system/cdi_reader.sh holds the two side by side): a field that is not known spoils the
/// file, as does one that is newer than the version the file gives itself.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace slipway::cdi {

struct DeviceNode {
  std::string path;        ///< inside
  std::string host_path;   ///< empty: the same
  std::string type;        ///< "b", "c", "u" (as c), "p" (a pipe); empty: as the host's
  std::int64_t major = 0;  ///< 0: as the host's
  std::int64_t minor = 0;
  std::optional<std::uint32_t> file_mode, uid, gid;
  std::string permissions;  ///< of "rwm", or "none"; empty: all
  bool operator==(const DeviceNode&) const = default;
};

struct Mount {
  std::string host_path, container_path;
  std::vector<std::string> options;
  std::string type;
  bool operator==(const Mount&) const = default;
};

struct Hook {
  std::string name;  ///< when it would run: `createContainer`
  std::string path;
  std::vector<std::string> arguments;  ///< the program's name first
  std::vector<std::string> environment;
  std::optional<std::int64_t> timeout;
  bool operator==(const Hook&) const = default;
};

struct NetDevice {
  std::string host_interface, name;
  bool operator==(const NetDevice&) const = default;
};

struct IntelRdt {
  std::string class_id, l3_schema, memory_schema;
  std::optional<std::vector<std::string>> schemata;
  bool enables_monitoring = false;
  bool operator==(const IntelRdt&) const = default;
};

struct Edits {
  std::vector<std::string> environment;  ///< `NAME=value`
  std::vector<DeviceNode> nodes;
  std::vector<NetDevice> net_devices;
  std::vector<Hook> hooks;
  std::vector<Mount> mounts;
  std::optional<IntelRdt> intel_rdt;
  std::vector<std::uint32_t> additional_gids;

  bool is_empty() const { return *this == Edits{}; }
  /// What `other` adds comes behind.
  void append(const Edits& other);
  bool operator==(const Edits&) const = default;
};

struct Device {
  std::string name;
  std::map<std::string, std::string> annotations;
  Edits edits;
  bool operator==(const Device&) const = default;
};

struct Spec {
  std::string version;
  std::string kind;  ///< `vendor.com/class`
  std::map<std::string, std::string> annotations;
  std::vector<Device> devices;  ///< in the file's order; no name twice
  Edits edits;                  ///< for every container that has one of the devices
  bool operator==(const Spec&) const = default;
};

/// Of any bytes, up to a megabyte. Fails with InvalidInput; the text names the line or the device.
/// Pure.
Result<Spec> parse_spec(std::string_view text);

/// `vendor.com/class=name`.
struct QualifiedName {
  std::string kind, device;
  std::string text() const { return kind + "=" + device; }
};

/// Whether a value of `--device` means a CDI device and no node: no path, and with a `=`. Pure.
bool looks_qualified(std::string_view text);

/// Fails with InvalidInput. Pure.
Result<QualifiedName> parse_qualified_name(std::string_view text);

}  // namespace slipway::cdi
