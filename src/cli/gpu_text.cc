#include "cli/gpu_text.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "cli/plain_text.h"

namespace slipway::cli {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::array<std::string, 6>;

std::string dump(const Json& value) {
  // Names come from the host: what is no UTF-8 must not end the program.
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string gibibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f}", static_cast<double>(bytes) / (1ULL << 30));
}

std::string memory_of(const gpu::Gpu& gpu, const gpu::GpuUse& use) {
  if (gpu.memory_bytes == 0) return "the host's";
  const std::string total = gibibytes(gpu.memory_bytes) + " GiB";
  return use.used_bytes ? fmt::format("{} of {}", gibibytes(*use.used_bytes), total) : total;
}

std::string user_line(const plan::GpuUser& user) {
  const std::string command = user.command.empty() ? "?" : plain_text(user.command);
  std::string line =
      fmt::format("       {}, process {}",
                  user.run.empty() ? command : "run " + plain_text(user.run), user.process.pid);
  if (!user.run.empty()) line += fmt::format(" ({})", command);
  if (user.process.memory_bytes)
    line +=
        fmt::format(", {:.0f} MiB", static_cast<double>(*user.process.memory_bytes) / (1 << 20));
  return line + "\n";
}

std::string users_of(const std::vector<plan::GpuUser>& users, const std::string& mig_uuid) {
  std::string lines;
  for (const plan::GpuUser& user : users) {
    if (user.process.mig_uuid == mig_uuid) lines += user_line(user);
  }
  return lines;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

template <typename T>
Json number_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json cap_json(int cap) { return cap >= 0 ? Json(cap) : Json(); }

Json part_json(const gpu::MigDevice& part) {
  return {{"index", part.index},
          {"uuid", part.uuid},
          {"name", text_or_null(part.name)},
          {"profile", text_or_null(part.profile)},
          {"gpu_instance", part.gpu_instance},
          {"compute_instance", part.compute_instance},
          {"memory", part.memory_bytes},
          {"gpu_instance_cap", cap_json(part.gpu_instance_cap)},
          {"compute_instance_cap", cap_json(part.compute_instance_cap)}};
}

Json user_json(const plan::GpuUser& user) {
  Json kinds = Json::array();
  if (user.process.computes) kinds.push_back("compute");
  if (user.process.draws) kinds.push_back("graphics");
  return {{"pid", user.process.pid},
          {"run", text_or_null(user.run)},
          {"command", text_or_null(user.command)},
          {"kinds", std::move(kinds)},
          {"memory", number_or_null(user.process.memory_bytes)},
          {"mig", text_or_null(user.process.mig_uuid)}};
}

Json edits_json(const gpu::CdiEdits& edits) {
  Json answer = Json::object();
  if (!edits.environment.empty()) answer["env"] = edits.environment;
  for (const gpu::CdiNode& node : edits.nodes) {
    Json one{{"path", node.path}};
    if (node.host_path != node.path) one["hostPath"] = node.host_path;
    one["major"] = node.major;
    one["minor"] = node.minor;
    one["fileMode"] = node.mode;
    one["permissions"] = "rwm";
    if (node.gid != 0) one["gid"] = node.gid;
    answer["deviceNodes"].push_back(std::move(one));
  }
  for (const gpu::CdiMount& mount : edits.mounts) {
    Json options = {"nosuid", "nodev", "rbind", "rprivate"};
    options.insert(options.begin(), mount.kind == gpu::CdiMount::Kind::Socket ? "noexec" : "ro");
    answer["mounts"].push_back({{"hostPath", mount.host_path},
                                {"containerPath", mount.container_path},
                                {"options", std::move(options)}});
  }
  if (!edits.additional_gids.empty()) answer["additionalGids"] = edits.additional_gids;
  return answer;
}

}  // namespace

std::string gpu_table(const plan::GpuList& list) {
  struct Line {
    Row row;
    std::string below;
  };
  std::vector<Line> lines{{{"GPU", "NAME", "CAPABILITY", "MEMORY", "MIG", "UUID"}, ""}};
  for (std::size_t i = 0; i < list.host.gpus.size(); ++i) {
    const gpu::Gpu& gpu = list.host.gpus[i];
    lines.push_back({{fmt::format("{}", i), plain_text(gpu.name),
                      fmt::format("{}.{}", gpu.compute_major, gpu.compute_minor),
                      memory_of(gpu, list.uses[i]), gpu.mig_enabled ? "on" : "off", gpu.uuid},
                     users_of(list.users[i], "")});
    for (const gpu::MigDevice& part : gpu.mig_devices) {
      lines.push_back({{fmt::format("{}:{}", i, part.index), plain_text(part.name), "",
                        gibibytes(part.memory_bytes) + " GiB", part.profile, part.uuid},
                       users_of(list.users[i], part.uuid)});
    }
  }
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Line& line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], line.row[i].size());
  }
  std::string table =
      fmt::format("driver {}{}\n", list.host.driver_version,
                  list.host.cuda_version.empty() ? "" : ", CUDA up to " + list.host.cuda_version);
  for (const Line& line : lines) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i)
      table += fmt::format("{:<{}}   ", line.row[i], widths[i]);
    table += line.row.back() + "\n" + line.below;
  }
  return table;
}

std::string gpu_json(const plan::GpuList& list) {
  Json gpus = Json::array();
  for (std::size_t i = 0; i < list.host.gpus.size(); ++i) {
    const gpu::Gpu& gpu = list.host.gpus[i];
    Json parts = Json::array(), users = Json::array();
    for (const gpu::MigDevice& part : gpu.mig_devices) parts.push_back(part_json(part));
    for (const plan::GpuUser& user : list.users[i]) users.push_back(user_json(user));
    gpus.push_back(
        {{"index", i},
         {"name", gpu.name},
         {"uuid", gpu.uuid},
         {"minor", gpu.minor},
         {"pci", text_or_null(gpu.pci_slot)},
         {"compute_capability", fmt::format("{}.{}", gpu.compute_major, gpu.compute_minor)},
         {"memory", gpu.memory_bytes > 0 ? Json(gpu.memory_bytes) : Json()},
         {"memory_used", number_or_null(list.uses[i].used_bytes)},
         {"mig", gpu.mig_enabled},
         {"mig_devices", std::move(parts)},
         {"users", std::move(users)}});
  }
  return dump({{"schema", 1},
               {"driver", text_or_null(list.host.driver_version)},
               {"cuda_version", text_or_null(list.host.cuda_version)},
               {"missing", text_or_null(list.host.missing)},
               {"gpus", std::move(gpus)}});
}

std::string cdi_json(const gpu::CdiSpec& spec) {
  Json devices = Json::array();
  for (const gpu::CdiDevice& device : spec.devices)
    devices.push_back({{"name", device.name}, {"containerEdits", edits_json(device.edits)}});
  return dump({{"cdiVersion", spec.version},
               {"kind", spec.kind},
               {"devices", std::move(devices)},
               {"containerEdits", edits_json(spec.edits)}});
}

}  // namespace slipway::cli
