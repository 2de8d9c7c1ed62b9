#include "run/receipt.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/file.h"
#include "base/process.h"
#include "run/host_state.h"

namespace slipway::run {
namespace {

using Json = nlohmann::ordered_json;

std::string access_word(Access access) { return access == Access::ReadOnly ? "ro" : "rw"; }

Json json_mark(const std::string& path) {
  std::string mark = file_mark(path);
  return mark.empty() ? Json(nullptr) : Json(std::move(mark));
}

bool is_file(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Json host_files(const RunRequest& request) {
  Json files = Json::array();
  const auto add = [&](const std::string& source, const std::string& target) {
    files.push_back(
        {{"source", source}, {"target", target}, {"mark", json_mark(source)}, {"sha256", nullptr}});
  };
  for (const std::string& library : request.driver.libraries) {
    add(library, join_path(request.driver.folder, base_name(library)));
  }
  for (const Volume& program : request.driver.programs) add(program.source, program.target);
  for (const HostPlace& place : request.host_places) {
    if (place.kind == HostPlace::Kind::File) add(place.source, place.target);
  }
  for (const InjectedMount& mount : request.injection.mounts) {
    if (is_file(mount.source)) add(mount.source, mount.target);
  }
  return files;
}

Json mounts_of(const RunRequest& request) {
  Json mounts = Json::array();
  for (const Volume& volume : request.volumes) {
    mounts.push_back({{"source", volume.source},
                      {"target", volume.target},
                      {"access", access_word(volume.access)}});
  }
  for (const HostPlace& place : request.host_places) {
    if (place.kind == HostPlace::Kind::File) continue;
    const bool is_socket = place.kind == HostPlace::Kind::Socket;
    mounts.push_back({{"source", place.source},
                      {"target", place.target},
                      {"access", is_socket ? "socket" : "ro"}});
  }
  for (const InjectedMount& mount : request.injection.mounts) {
    if (is_file(mount.source)) continue;  // see host_files
    const bool is_closed = std::ranges::find(mount.options, "ro") != mount.options.end();
    mounts.push_back(
        {{"source", mount.source}, {"target", mount.target}, {"access", is_closed ? "ro" : "rw"}});
  }
  for (const Tmpfs& tmpfs : request.tmpfs) {
    mounts.push_back({{"source", "tmpfs"},
                      {"target", tmpfs.target},
                      {"access", fmt::format("{}", fmt::join(tmpfs.options, ","))}});
  }
  return mounts;
}

const char* network_word(Network network) {
  switch (network) {
    case Network::None:
      return "none";
    case Network::Private:
      return "private";
    case Network::Host:
      break;
  }
  return "host";
}

/// A file of the image, which no mount brings in: where it lies in the store tells its sha256.
Json compat_of(const RunRequest& request) {
  const auto& compat = request.driver.compat;
  if (!compat) return nullptr;
  return {{"version", compat->version},
          {"path", compat->path},
          {"layer", compat->layer},
          {"source", compat->on_host},
          {"mark", json_mark(compat->on_host)},
          {"sha256", nullptr}};
}

Json gpus_of(const RunRequest& request) {
  Json gpus = Json::array();
  for (const DriverFiles::Gpu& gpu : request.driver.gpus) {
    gpus.push_back({{"uuid", gpu.uuid}, {"name", gpu.name}});
  }
  return gpus;
}

/// Who was asked for, and by which files they are what they are.
Json cdi_of(const RunRequest& request) {
  const Injection& injection = request.injection;
  if (injection.is_empty()) return nullptr;
  return {{"devices", injection.names},
          {"files", injection.files},
          {"left_out_hooks", injection.left_out}};
}

Json devices_of(const RunRequest& request, const BundleFacts& bundle) {
  Json devices = Json::array();
  for (const BundleDevice& device : bundle.devices) {
    devices.push_back({{"path", device.path},
                       {"number", fmt::format("{}:{}", device.major, device.minor)},
                       {"access", device.access}});
  }
  if (!bundle.in_user_namespace) return devices;
  for (const InjectedNode& node : request.injection.nodes) {
    struct stat status {};
    if (::stat(node.source.c_str(), &status) != 0) continue;
    devices.push_back(
        {{"path", node.target},
         {"number", fmt::format("{}:{}", major(status.st_rdev), minor(status.st_rdev))},
         {"access", "rw"}});
  }
  return devices;
}

Json limits_of(const RunRequest& request, const BundleFacts& bundle) {
  const auto number = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
  Json limits = {{"memory_bytes", number(bundle.limits.memory_bytes)},
                 {"memory_and_swap_bytes", number(bundle.limits.memory_and_swap_bytes)},
                 {"cpus", number(bundle.limits.cpus)},
                 {"shm_bytes", bundle.limits.shm_bytes},
                 {"open_files", bundle.most_open_files},
                 {"locked_bytes", bundle.most_locked_bytes}};
  for (const ResourceLimit& limit : request.resource_limits) {
    limits["ulimit_" + limit.type] = fmt::format("{}:{}", limit.soft, limit.hard);
  }
  return limits;
}

Json names_of(const std::vector<std::string>& environment) {
  Json names = Json::array();
  for (const std::string& variable : environment) {
    names.push_back(variable.substr(0, variable.find('=')));
  }
  return names;
}

void flatten(const Json& json, const std::string& place, std::map<std::string, std::string>& flat) {
  if (json.is_structured() && !json.empty()) {
    std::size_t index = 0;
    for (const auto& [key, value] : json.items()) {
      const std::string name = json.is_array() ? fmt::format("[{}]", index++)
                               : place.empty() ? key
                                               : "." + key;
      flatten(value, place + name, flat);
    }
    return;
  }
  flat[place] = json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Where the file at `source` is still what it was.
void add_sha256(Json& file) {
  if (!file.is_object() || !file.value("sha256", Json()).is_null()) return;
  const std::string path = file.value("source", "");
  if (path.empty() || file.value("mark", Json()) != json_mark(path)) return;
  const Result<UniqueFd> fd = open_file(path, O_RDONLY);
  if (!fd.ok()) return;
  FdSource source(fd->get());
  HashingSink sink;
  if (copy(source, sink).ok()) file["sha256"] = sink.finish().hex();
}

Result<Json> parse_receipt(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("schema", 0) != 1) {
    return make_error(ErrorKind::Corrupt, "the receipt of a run cannot be read");
  }
  return json;
}

}  // namespace

std::string write_receipt(const ReceiptFacts& facts) {
  utsname kernel{};
  ::uname(&kernel);
  const RunRequest& request = facts.request;
  const Json receipt = {
      {"schema", 1},
      {"id", facts.about.id},
      {"name", facts.about.name},
      {"created", utc_time_text(facts.about.created)},
      {"image",
       {{"reference", facts.about.image},
        {"digest", facts.about.image_digest},
        {"lock", facts.about.lock.empty() ? Json(nullptr) : Json(facts.about.lock)}}},
      {"command", request.command},
      {"working_folder", request.working_folder},
      {"user", {{"uid", request.uid}, {"gid", request.gid}, {"groups", request.additional_gids}}},
      {"environment", names_of(request.environment)},
      {"kernel", {{"release", kernel.release}, {"machine", kernel.machine}}},
      {"runtime", {{"path", facts.program.path}, {"version", facts.runtime_version}}},
      {"user_namespace", facts.bundle.in_user_namespace},
      {"control_group", facts.bundle.cgroup_path},
      {"network", network_word(request.network)},
      {"driver", request.driver.is_empty() ? Json(nullptr) : Json(request.driver.version)},
      {"cuda_compat", compat_of(request)},
      {"gpus", gpus_of(request)},
      {"root", access_word(request.root)},
      {"limits", limits_of(request, facts.bundle)},
      {"mounts", mounts_of(request)},
      {"devices", devices_of(request, facts.bundle)},
      {"cdi", cdi_of(request)},
      {"host_files", host_files(request)}};
  return receipt.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::string> complete_receipt(std::string_view text) {
  Json receipt = TRY(parse_receipt(text));
  if (Json& files = receipt["host_files"]; files.is_array()) {
    for (Json& file : files) add_sha256(file);
  }
  if (receipt.contains("cuda_compat")) add_sha256(receipt["cuda_compat"]);
  return receipt.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::vector<ReceiptDifference>> compare_receipts(std::string_view one,
                                                        std::string_view other) {
  std::map<std::string, std::string> first, second;
  flatten(TRY(parse_receipt(one)), "", first);
  flatten(TRY(parse_receipt(other)), "", second);
  for (const char* own : {"id", "name", "created", "control_group"}) {
    first.erase(own);
    second.erase(own);
  }
  std::vector<ReceiptDifference> differences;
  for (const auto& [place, value] : first) {
    const auto found = second.find(place);
    const std::string there = found == second.end() ? "absent" : found->second;
    if (there != value) differences.push_back({place, value, there});
  }
  for (const auto& [place, value] : second) {
    if (!first.contains(place)) differences.push_back({place, "absent", value});
  }
  std::sort(differences.begin(), differences.end(),
            [](const auto& a, const auto& b) { return a.place < b.place; });
  return differences;
}

std::string file_mark(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "";
  return fmt::format("{}:{}:{}:{}.{}:{}.{}", status.st_dev, status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

std::string runtime_version(const std::string& runs, const std::string& path) {
  const std::string mark = file_mark(path);
  if (mark.empty()) return "";
  const std::string known = join_path(runs, "runtime-version." + base_name(path));
  const std::string head = mark + "\n";
  const Result<std::string> noted = read_file(known);
  if (noted.ok() && noted->starts_with(head)) return noted->substr(head.size());
  const Result<ProcessResult> asked = run_process({path, "--version"});
  if (!asked.ok()) return "";
  const std::string version = parse_runtime_version(asked->output);
  (void)remove_file(known);
  (void)write_scratch_file(known, head + version);
  return version;
}

}  // namespace slipway::run
