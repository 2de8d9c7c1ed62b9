#include "cdi/spec.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>

#include "base/nearest.h"
#include "cdi/spec_checks.h"
#include "cdi/yaml.h"

namespace slipway::cdi {
namespace {

constexpr std::size_t kMostBytes = 1U << 20U;  // that of a server with 56 MIG devices is a tenth

using Kind = YamlNode::Kind;
using Setter = std::function<Result<void>(const YamlNode&)>;

Error wrong_kind(const YamlNode& node, std::string_view expected) {
  return make_error(ErrorKind::InvalidInput, "line {}: {} is needed here", node.line, expected);
}

struct Field {
  std::string name;
  Setter set;
};

/// A table without fields that are not known; `null` is an empty one.
Result<void> read_fields(const YamlNode& node, std::string_view what,
                         const std::vector<Field>& fields) {
  if (node.is_null()) return {};
  if (node.kind != Kind::Table) return wrong_kind(node, "a table");
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const auto known = std::ranges::find(fields, node.keys[i], &Field::name);
    if (known != fields.end()) {
      TRY(known->set(node.items[i]));
      continue;
    }
    Error error = make_error(ErrorKind::InvalidInput, "line {}: `{}` is no field of {}",
                             node.items[i].line, node.keys[i], what);
    std::vector<std::string> names;
    for (const Field& field : fields) names.push_back(field.name);
    const auto nearest = find_nearest(node.keys[i], names);
    if (!nearest.empty()) error.hints.push_back(did_you_mean(nearest));
    return error;
  }
  return {};
}

Setter into(std::string& target) {
  return [&target](const YamlNode& node) -> Result<void> {
    if (node.kind != Kind::Scalar) return wrong_kind(node, "a text");
    if (!node.is_null()) target = node.text;
    return {};
  };
}

/// As Go reads a number: with a base before it, a lone 0 being that of octal ones, and `_` between.
/// `fileMode: 0666` means what it says.
std::optional<std::int64_t> find_number(std::string_view written) {
  if (written.starts_with('_')) return std::nullopt;
  std::string digits;
  for (const char c : written) {
    if (c != '_') digits.push_back(c);
  }
  std::string_view rest = digits;
  const bool is_negative = rest.starts_with('-');
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  int base = 10;
  if (rest.size() > 1 && rest[0] == '0') {
    const char letter = static_cast<char>(rest[1] | 0x20);
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    rest.remove_prefix(letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1);
  }
  std::uint64_t number = 0;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, base);
  if (error != std::errc() || end != rest.data() + rest.size() ||
      number > kMost + (is_negative ? 1 : 0)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(is_negative ? 0 - number : number);
}

/// `T` is a number or an optional one.
template <typename Number, typename T>
Setter number_into(T& target) {
  return [&target](const YamlNode& node) -> Result<void> {
    if (node.is_null()) return {};
    const bool is_plain = node.kind == Kind::Scalar && node.style == YamlNode::Style::Plain;
    const std::optional<std::int64_t> number = is_plain ? find_number(node.text) : std::nullopt;
    if (!number || !std::in_range<Number>(*number)) return wrong_kind(node, "a whole number");
    target = static_cast<Number>(*number);
    return {};
  };
}

/// YAML 1.1 has more words for these than YAML 1.2; Go takes them for text that may be meant so.
Setter into(bool& target) {
  return [&target](const YamlNode& node) -> Result<void> {
    using Words = std::vector<std::string_view>;
    static const Words kYes{"y",  "Y",  "yes",  "Yes",  "YES", "on",
                            "On", "ON", "true", "True", "TRUE"};
    static const Words kNo{"n",   "N",   "no",    "No",    "NO",   "off",
                           "Off", "OFF", "false", "False", "FALSE"};
    if (node.is_null()) return {};
    const std::ptrdiff_t most = node.style == YamlNode::Style::Plain ? 11 : 8;
    for (const Words* words : {&kYes, &kNo}) {
      const auto found = std::ranges::find(*words, node.text);
      if (node.kind != Kind::Scalar || found - words->begin() >= most) continue;
      target = words == &kYes;
      return {};
    }
    return wrong_kind(node, "`true` or `false`");
  };
}

/// Each item by `read`, which gives a setter for one; an item `null` is none.
template <typename T, typename Reader>
Setter list_into(std::vector<T>& target, Reader read) {
  return [&target, read](const YamlNode& node) -> Result<void> {
    target.clear();
    if (node.is_null()) return {};
    if (node.kind != Kind::List) return wrong_kind(node, "a list");
    for (const YamlNode& item : node.items) {
      if (item.is_null()) return wrong_kind(item, "something");
      T one{};
      TRY(read(one)(item));
      target.push_back(std::move(one));
    }
    return {};
  };
}

Setter into(std::vector<std::string>& target) {
  return list_into(target, [](std::string& one) { return into(one); });
}

Setter into(std::map<std::string, std::string>& target) {
  return [&target](const YamlNode& node) -> Result<void> {
    if (node.is_null()) return {};
    if (node.kind != Kind::Table) return wrong_kind(node, "a table");
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      TRY(into(target[node.keys[i]])(node.items[i]));
    }
    return {};
  };
}

Setter into(DeviceNode& target) {
  return [&target](const YamlNode& node) {
    return read_fields(node, "a device node",
                       {{"path", into(target.path)},
                        {"hostPath", into(target.host_path)},
                        {"type", into(target.type)},
                        {"major", number_into<std::int64_t>(target.major)},
                        {"minor", number_into<std::int64_t>(target.minor)},
                        {"fileMode", number_into<std::uint32_t>(target.file_mode)},
                        {"permissions", into(target.permissions)},
                        {"uid", number_into<std::uint32_t>(target.uid)},
                        {"gid", number_into<std::uint32_t>(target.gid)}});
  };
}

Setter into(Mount& target) {
  return [&target](const YamlNode& node) {
    return read_fields(node, "a mount",
                       {{"hostPath", into(target.host_path)},
                        {"containerPath", into(target.container_path)},
                        {"options", into(target.options)},
                        {"type", into(target.type)}});
  };
}

Setter into(Hook& target) {
  return [&target](const YamlNode& node) {
    return read_fields(node, "a hook",
                       {{"hookName", into(target.name)},
                        {"path", into(target.path)},
                        {"args", into(target.arguments)},
                        {"env", into(target.environment)},
                        {"timeout", number_into<std::int64_t>(target.timeout)}});
  };
}

Setter into(NetDevice& target) {
  return [&target](const YamlNode& node) {
    return read_fields(
        node, "a net device",
        {{"hostInterfaceName", into(target.host_interface)}, {"name", into(target.name)}});
  };
}

Setter into(std::optional<IntelRdt>& target) {
  return [&target](const YamlNode& node) -> Result<void> {
    if (node.is_null()) return {};
    IntelRdt rdt;
    const Setter schemata = [&rdt](const YamlNode& list) -> Result<void> {
      if (list.is_null()) return {};
      return into(rdt.schemata.emplace())(list);
    };
    TRY(read_fields(node, "intelRdt",
                    {{"closID", into(rdt.class_id)},
                     {"l3CacheSchema", into(rdt.l3_schema)},
                     {"memBwSchema", into(rdt.memory_schema)},
                     {"schemata", schemata},
                     {"enableMonitoring", into(rdt.enables_monitoring)}}));
    target = std::move(rdt);
    return {};
  };
}

Setter into(Edits& target) {
  return [&target](const YamlNode& node) {
    const auto any = [](auto& one) { return into(one); };
    const auto id = [](std::uint32_t& one) { return number_into<std::uint32_t>(one); };
    return read_fields(node, "containerEdits",
                       {{"env", into(target.environment)},
                        {"deviceNodes", list_into(target.nodes, any)},
                        {"netDevices", list_into(target.net_devices, any)},
                        {"hooks", list_into(target.hooks, any)},
                        {"mounts", list_into(target.mounts, any)},
                        {"intelRdt", into(target.intel_rdt)},
                        {"additionalGids", list_into(target.additional_gids, id)}});
  };
}

Setter into(Device& target) {
  return [&target](const YamlNode& node) {
    return read_fields(node, "a device",
                       {{"name", into(target.name)},
                        {"annotations", into(target.annotations)},
                        {"containerEdits", into(target.edits)}});
  };
}

template <typename T>
void append_to(std::vector<T>& list, const std::vector<T>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace

void Edits::append(const Edits& other) {
  append_to(environment, other.environment);
  append_to(nodes, other.nodes);
  append_to(net_devices, other.net_devices);
  append_to(hooks, other.hooks);
  append_to(mounts, other.mounts);
  if (other.intel_rdt) intel_rdt = other.intel_rdt;
  append_to(additional_gids, other.additional_gids);
}

Result<Spec> parse_spec(std::string_view text) {
  if (text.size() > kMostBytes) {
    return make_error(ErrorKind::InvalidInput, "it is larger than {} bytes", kMostBytes);
  }
  const YamlNode root = TRY(parse_yaml(text));
  if (root.is_null()) return make_error(ErrorKind::InvalidInput, "there is nothing in it");
  Spec spec;
  TRY(read_fields(root, "a CDI specification",
                  {{"cdiVersion", into(spec.version)},
                   {"kind", into(spec.kind)},
                   {"annotations", into(spec.annotations)},
                   {"devices", list_into(spec.devices, [](Device& one) { return into(one); })},
                   {"containerEdits", into(spec.edits)}}));
  TRY(check_spec(spec));
  return spec;
}

bool looks_qualified(std::string_view text) {
  return !text.starts_with('/') && text.find('=') != std::string_view::npos;
}

Result<QualifiedName> parse_qualified_name(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  QualifiedName name{std::string(text.substr(0, equals)),
                     std::string(text.substr(std::min(equals + 1, text.size())))};
  TRY(check_kind(name.kind));
  TRY(check_device_name(name.device));
  return name;
}

}  // namespace slipway::cdi
