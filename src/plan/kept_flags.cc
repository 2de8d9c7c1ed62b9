#include "plan/kept_flags.h"

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace slipway::plan {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// The CDI devices among them, which are told apart when their files are read.
std::vector<std::string> devices_of(const RunFlags& flags) {
  std::vector<std::string> devices = flags.devices;
  if (flags.cdi) devices.insert(devices.end(), flags.cdi->names.begin(), flags.cdi->names.end());
  return devices;
}

std::vector<std::string> folders_of(const RunFlags& flags) {
  std::vector<std::string> folders;
  for (const std::string& folder : flags.cdi_folders) {
    folders.push_back(join_path(flags.folder, folder));
  }
  return folders;
}

/// Takes what is there into place; remembers what is of another type.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  void take(const char* name, std::string& value) {
    if (const Json* const found = find(name, &Json::is_string)) value = found->get<std::string>();
  }
  void take(const char* name, std::optional<std::string>& value) {
    if (const Json* const found = find(name, &Json::is_string)) value = found->get<std::string>();
  }
  void take(const char* name, std::optional<std::uint64_t>& value) {
    const Json* const found = find(name, &Json::is_number_unsigned);
    if (found != nullptr) value = found->get<std::uint64_t>();
  }
  void take(const char* name, std::optional<double>& value) {
    const Json* const found = find(name, &Json::is_number);
    if (found != nullptr) value = found->get<double>();
  }
  void take(const char* name, std::vector<std::string>& value) {
    const Json* const found = find(name, &Json::is_array);
    if (found == nullptr) return;
    for (const Json& item : *found) {
      is_good_ = is_good_ && item.is_string();
      if (item.is_string()) value.push_back(item.get<std::string>());
    }
  }
  bool flag(const char* name) {
    const Json* const found = find(name, &Json::is_boolean);
    return found != nullptr && found->get<bool>();
  }
  const Json* object(const char* name) { return find(name, &Json::is_object); }
  bool is_good() const { return is_good_; }

 private:
  using Test = bool (Json::*)() const noexcept;
  const Json* find(const char* name, Test is_right) {
    const auto found = object_.find(name);
    if (found == object_.end() || found->is_null()) return nullptr;
    if (((*found).*is_right)()) return &*found;
    is_good_ = false;
    return nullptr;
  }

  const Json& object_;
  bool is_good_ = true;
};

Error unreadable() {
  return make_error(ErrorKind::Corrupt, "what the run was asked to be cannot be read");
}

Result<spec::Resources> ceilings_in(const Json& object) {
  spec::Resources ceilings;
  Fields fields(object);
  fields.take("gpus", ceilings.gpus);
  fields.take("memory_bytes", ceilings.memory_bytes);
  fields.take("cpus", ceilings.cpus);
  fields.take("shm_bytes", ceilings.shm_bytes);
  if (!fields.is_good()) return unreadable();
  return ceilings;
}

}  // namespace

std::string write_kept_flags(const RunFlags& flags, const spec::Resources* ceilings) {
  Json json = {{"schema", 1},
               {"folder", flags.folder},
               {"volumes", flags.volumes},
               {"tmpfs", flags.tmpfs},
               {"devices", devices_of(flags)},
               {"cdi_folders", folders_of(flags)},
               {"without_hooks", flags.hooks == RunFlags::Hooks::LeftOut},
               {"user", json_of(flags.user)},
               {"groups", flags.groups},
               {"memory_bytes", json_of(flags.memory_bytes)},
               {"shm_bytes", json_of(flags.shm_bytes)},
               {"cpus", json_of(flags.cpus)},
               {"ulimits", flags.ulimits},
               {"gpus", flags.gpus ? Json(gpu::gpu_choice_text(*flags.gpus)) : Json(nullptr)},
               {"cuda_compat", flags.cuda_compat == RunFlags::CudaCompat::Automatic},
               {"network", json_of(flags.network)},
               {"ports", flags.ports},
               {"host_name", json_of(flags.host_name)},
               {"init", flags.init == RunFlags::Init::Wanted},
               {"read_only", flags.root == RunFlags::Root::ReadOnly},
               {"verify", flags.check == RunFlags::Check::Yes},
               {"ceilings", nullptr}};
  if (ceilings != nullptr) {
    json["ceilings"] = {{"gpus", ceilings->gpus},
                        {"memory_bytes", json_of(ceilings->memory_bytes)},
                        {"cpus", json_of(ceilings->cpus)},
                        {"shm_bytes", json_of(ceilings->shm_bytes)}};
  }
  // Text from outside may not be UTF-8; a lone byte must not throw.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<KeptFlags> parse_kept_flags(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("schema") || json["schema"] != 1) return unreadable();
  KeptFlags kept;
  RunFlags& flags = kept.flags;
  Fields fields(json);
  fields.take("folder", flags.folder);
  fields.take("volumes", flags.volumes);
  fields.take("tmpfs", flags.tmpfs);
  fields.take("devices", flags.devices);
  fields.take("cdi_folders", flags.cdi_folders);
  if (fields.flag("without_hooks")) flags.hooks = RunFlags::Hooks::LeftOut;
  fields.take("user", flags.user);
  fields.take("groups", flags.groups);
  fields.take("memory_bytes", flags.memory_bytes);
  fields.take("shm_bytes", flags.shm_bytes);
  fields.take("cpus", flags.cpus);
  fields.take("ulimits", flags.ulimits);
  std::optional<std::string> gpus;
  fields.take("gpus", gpus);
  if (gpus) flags.gpus = TRY(gpu::parse_gpu_choice(*gpus));
  if (!fields.flag("cuda_compat")) flags.cuda_compat = RunFlags::CudaCompat::Never;
  fields.take("network", flags.network);
  fields.take("ports", flags.ports);
  fields.take("host_name", flags.host_name);
  if (fields.flag("init")) flags.init = RunFlags::Init::Wanted;
  if (fields.flag("read_only")) flags.root = RunFlags::Root::ReadOnly;
  if (fields.flag("verify")) flags.check = RunFlags::Check::Yes;
  if (const Json* const ceilings = fields.object("ceilings")) {
    kept.ceilings = TRY(ceilings_in(*ceilings));
  }
  if (!fields.is_good() || !flags.folder.starts_with('/')) return unreadable();
  return kept;
}

}  // namespace slipway::plan
