#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "gpu/testing/fake_nvml.h"

namespace fake {

State state;

namespace {

Device* add_part(Device& parent) {
  unsigned index = 0;
  while (index < parent.parts.size() && parent.parts[index] != nullptr) ++index;
  if (index == parent.parts.size() || state.part_count == state.parts.size()) return nullptr;
  Device* const part = parent.parts[index] = &state.parts[state.part_count++];
  part->parent = &parent;
  part->index = index;
  part->gpu_instance = index + 7;
  part->memory = parent.memory / 8;
  std::snprintf(part->uuid.data(), part->uuid.size(), "MIG-%.60s-%u", parent.uuid.data(), index);
  std::snprintf(part->name.data(), part->name.size(), "%.90s MIG 1g", parent.name.data());
  return part;
}

/// What does not fit is cut.
void copy(Text& to, const char* from) {
  const std::size_t length = strnlen(from, to.size() - 1);
  std::memcpy(to.data(), from, length);
  to[length] = '\0';
}

void read_part(Device& parent, const char* text) {
  Device* const part = add_part(parent);
  if (part == nullptr) return;
  Text profile{};
  std::sscanf(text, "%100[^/]/%u/%u/%lf/%30s", part->uuid.data(), &part->gpu_instance,
              &part->compute_instance, &part->memory, profile.data());
  std::snprintf(part->name.data(), part->name.size(), "%.80s MIG %.30s", parent.name.data(),
                profile.data());
}

void read_process(Processes& processes, const char* text) {
  if (processes.count >= processes.list.size()) return;
  Process& process = processes.list[processes.count++];
  unsigned long long mebibytes = 0;
  std::sscanf(text, "%u/%llu/%u", &process.pid, &mebibytes, &process.gpu_instance);
  process.used = mebibytes << 20;
}

void read_field(Device& device, const char* key, const char* value) {
  const auto is = [key](const char* name) { return std::strcmp(key, name) == 0; };
  if (is("name")) copy(device.name, value);
  if (is("uuid")) copy(device.uuid, value);
  if (is("bus")) copy(device.bus, value);
  if (is("minor")) device.minor = static_cast<unsigned>(std::atoi(value));
  if (is("cc")) std::sscanf(value, "%d.%d", &device.major_capability, &device.minor_capability);
  if (is("status")) device.status = std::atoi(value);
  if (is("lost")) device.lost = std::atoi(value);
  if (is("memory")) device.memory = std::atof(value);
  if (is("used")) device.used = std::atof(value);
  if (is("persistence")) device.persistence = std::atoi(value);
  if (is("mode")) device.mode = std::atoi(value);
  if (is("processes")) device.processes = std::atoi(value);
  if (is("mig"))
    std::sscanf(value, "%d/%d/%d", &device.mig, &device.mig_pending, &device.mig_devices);
  if (is("part")) read_part(device, value);
  if (is("compute")) read_process(device.compute, value);
  if (is("graphics")) read_process(device.graphics, value);
  if (is("ecc")) device.ecc = std::atoi(value);
  if (is("pending")) device.pending = std::atoi(value);
  if (is("remap_failed")) device.remap_failed = std::atoi(value);
  if (is("throttle")) device.throttle = static_cast<unsigned long long>(std::atoi(value));
  if (is("brand")) device.brand = std::atoi(value);
  if (is("nvlink")) device.nvlink = std::atoi(value);
  if (is("apart")) device.apart = std::atoi(value);
  if (is("fabric")) device.fabric = std::atoi(value);
}

void read_gpu(char* text) {
  if (state.count >= state.devices.size()) return;
  Device& device = state.devices[state.count];
  device.index = state.count++;
  char* rest = nullptr;
  for (char* field = strtok_r(text, ";\n", &rest); field != nullptr;
       field = strtok_r(nullptr, ";\n", &rest)) {
    char* const value = std::strchr(field, '=');
    if (value == nullptr) continue;
    *value = '\0';
    read_field(device, field, value + 1);
  }
  for (unsigned i = 0; i < static_cast<unsigned>(device.mig_devices); ++i) {
    if (i < device.parts.size() && device.parts[i] == nullptr) add_part(device);
  }
}

void read_line(char* line) {
  if (std::strncmp(line, "init ", 5) == 0) state.init = std::atoi(line + 5);
  if (std::strncmp(line, "cuda ", 5) == 0) state.cuda = std::atoi(line + 5);
  if (std::strncmp(line, "cuinit ", 7) == 0) state.cuinit = std::atoi(line + 7);
  if (std::strncmp(line, "cudevices ", 10) == 0) state.cudevices = std::atoi(line + 10);
  if (std::strncmp(line, "without ", 8) == 0) {
    line[std::strcspn(line, "\n")] = '\0';
    copy(state.without, line + 8);
  }
  if (std::strncmp(line, "driver ", 7) == 0) {
    line[std::strcspn(line, "\n")] = '\0';
    copy(state.driver, line + 7);
  }
  if (std::strncmp(line, "gpu ", 4) == 0) read_gpu(line + 4);
}

}  // namespace

void read_state() {
  state = State{};
  copy(state.driver, "999.88.77");
  std::array<char, 4096> path{};
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&read_state), &info) != 0)
    std::snprintf(path.data(), path.size(), "%s", info.dli_fname);
  char* const slash = std::strrchr(path.data(), '/');
  if (slash != nullptr)
    std::snprintf(slash, path.size() - static_cast<std::size_t>(slash - path.data()),
                  "/fake_nvml.conf");
  std::FILE* const file = std::fopen(path.data(), "r");
  std::array<char, 1024> line{};
  if (file == nullptr) {
    for (const char* text : {"name=NVIDIA Fake 80GB;uuid=GPU-11111111-2222-3333-4444-555555555555;"
                             "minor=1;cc=9.0;memory=80",
                             "name=NVIDIA Fake 24GB;uuid=GPU-66666666-7777-8888-9999-000000000000;"
                             "minor=0;cc=8.6"}) {
      std::snprintf(line.data(), line.size(), "%s", text);
      read_gpu(line.data());
    }
    return;
  }
  while (std::fgets(line.data(), static_cast<int>(line.size()), file) != nullptr)
    read_line(line.data());
  std::fclose(file);
}

bool is_without(const char* function) { return std::strcmp(state.without.data(), function) == 0; }

}  // namespace fake
