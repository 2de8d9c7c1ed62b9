#include "cdi/spec_checks.h"

#include <algorithm>
#include <array>
#include <set>

namespace slipway::cdi {
namespace {

constexpr std::array<std::string_view, 10> kVersions{"0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0",
                                                     "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0"};

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

enum class First { Letter, LetterOrDigit };

/// `others` may stand between the first character and the last, which is a letter or a digit.
bool is_name(std::string_view name, First first, std::string_view others) {
  if (name.empty()) return false;
  if (!is_letter(name[0]) && (first == First::Letter || !is_digit(name[0]))) return false;
  const char last = name.back();
  return (is_letter(last) || is_digit(last)) && std::ranges::all_of(name, [&](char c) {
           return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos;
         });
}

template <typename... Args>
Error wrong(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(ErrorKind::InvalidInput, format, std::forward<Args>(args)...);
}

Result<void> check_environment(const std::vector<std::string>& environment) {
  for (const std::string& variable : environment) {
    const std::size_t equals = variable.find('=');
    if (equals != 0 && equals != std::string::npos) continue;
    return wrong("the variable `{}` is no `NAME=value`", variable);
  }
  return {};
}

Result<void> check_node(const DeviceNode& node) {
  static constexpr std::array<std::string_view, 5> kTypes{"", "b", "c", "u", "p"};
  if (node.path.empty()) return wrong("a device node has no `path`");
  if (std::ranges::find(kTypes, node.type) == kTypes.end()) {
    return wrong("the node `{}` is of no known type: `{}`", node.path, node.type);
  }
  if (node.permissions != "none" &&
      node.permissions.find_first_not_of("rwm") != std::string::npos) {
    return wrong("the node `{}` has permissions beyond `rwm`: `{}`", node.path, node.permissions);
  }
  return {};
}

Result<void> check_hook(const Hook& hook) {
  static constexpr std::array<std::string_view, 6> kNames{
      "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};
  if (std::ranges::find(kNames, hook.name) == kNames.end()) {
    return wrong("there is no hook `{}`", hook.name);
  }
  if (hook.path.empty()) return wrong("a hook `{}` has no `path`", hook.name);
  return check_environment(hook.environment);
}

Result<void> check_rdt(const IntelRdt& rdt) {
  const std::string& id = rdt.class_id;
  if (id == "/") return {};
  if (id.size() < 4096 && id != "." && id != ".." && id.find_first_of("/\n") == std::string::npos) {
    return {};
  }
  return wrong("`closID` can be no folder: `{}`", id);
}

Result<void> check_interfaces(const std::vector<NetDevice>& devices) {
  std::set<std::string> outside, inside;
  for (const NetDevice& device : devices) {
    if (device.host_interface.empty() || device.name.empty()) {
      return wrong("a net device needs a `hostInterfaceName` and a `name`");
    }
    if (!outside.insert(device.host_interface).second || !inside.insert(device.name).second) {
      return wrong("the net device `{}` is there twice", device.name);
    }
  }
  return {};
}

Result<void> check_edits(const Edits& edits) {
  TRY(check_environment(edits.environment));
  for (const DeviceNode& node : edits.nodes) TRY(check_node(node));
  for (const Hook& hook : edits.hooks) TRY(check_hook(hook));
  for (const Mount& mount : edits.mounts) {
    if (mount.host_path.empty() || mount.container_path.empty()) {
      return wrong("a mount needs a `hostPath` and a `containerPath`");
    }
  }
  if (edits.intel_rdt) TRY(check_rdt(*edits.intel_rdt));
  return check_interfaces(edits.net_devices);
}

/// The oldest version that has all of what these use.
std::string_view version_for(const Edits& edits) {
  if (!edits.net_devices.empty()) return "1.1.0";
  if (edits.intel_rdt) {
    const bool is_new = edits.intel_rdt->schemata || edits.intel_rdt->enables_monitoring;
    return is_new ? "1.1.0" : "0.7.0";
  }
  if (!edits.additional_gids.empty()) return "0.7.0";
  const auto has_host_path = [](const DeviceNode& node) { return !node.host_path.empty(); };
  if (std::ranges::any_of(edits.nodes, has_host_path)) return "0.5.0";
  const auto has_type = [](const Mount& mount) { return !mount.type.empty(); };
  return std::ranges::any_of(edits.mounts, has_type) ? "0.4.0" : "0.3.0";
}

/// Versions of one digit each: their order is the texts'.
std::string_view version_for(const Spec& spec) {
  std::string_view least = version_for(spec.edits);
  const std::size_t slash = spec.kind.find('/');
  const bool has_dot =
      slash != std::string::npos && spec.kind.find('.', slash) != std::string::npos;
  if (!spec.annotations.empty() || has_dot) least = std::max<std::string_view>(least, "0.6.0");
  for (const Device& device : spec.devices) {
    least = std::max(least, version_for(device.edits));
    if (!device.annotations.empty()) least = std::max<std::string_view>(least, "0.6.0");
    if (!device.name.empty() && is_digit(device.name[0])) {
      least = std::max<std::string_view>(least, "0.5.0");
    }
  }
  return least;
}

Result<void> check_version(const Spec& spec) {
  std::string_view version = spec.version;
  if (version.starts_with('v')) version.remove_prefix(1);
  if (std::ranges::find(kVersions, version) == kVersions.end()) {
    return wrong("`cdiVersion` is none that is known: `{}`", spec.version);
  }
  const std::string_view least = version_for(spec);
  if (version >= least) return {};
  return wrong("it uses what CDI {} brought, and says that it is of version {}", least, version);
}

}  // namespace

Result<void> check_kind(std::string_view kind) {
  const std::size_t slash = std::min(kind.find('/'), kind.size());
  const std::string_view vendor = kind.substr(0, slash);
  const std::string_view name = kind.substr(std::min(slash + 1, kind.size()));
  for (const std::string_view part : {vendor, name}) {
    if (is_name(part, First::Letter, "_-.")) continue;
    return wrong("`{}` is no kind of device, like `vendor.com/class`", kind);
  }
  return {};
}

Result<void> check_device_name(std::string_view name) {
  if (is_name(name, First::LetterOrDigit, "_-.:")) return {};
  return wrong("`{}` is no name of a device", name);
}

Result<void> check_spec(const Spec& spec) {
  TRY(check_version(spec));
  TRY(check_kind(spec.kind));
  TRY(check_edits(spec.edits));
  std::set<std::string> names;
  for (const Device& device : spec.devices) {
    const std::string step = fmt::format("reading device `{}`", device.name);
    TRY(check_device_name(device.name));
    if (device.edits.is_empty()) return wrong("the device `{}` does nothing", device.name);
    TRY_WHILE(step, check_edits(device.edits));
    if (!names.insert(device.name).second) {
      return wrong("the device `{}` is there twice", device.name);
    }
  }
  if (names.empty()) return wrong("it has no devices");
  return {};
}

}  // namespace slipway::cdi
