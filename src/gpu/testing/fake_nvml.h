// What a fake NVML says: fake_nvml.cc tells where it comes from.
#pragma once

#include <array>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace fake {

constexpr int kUninitialized = 1;
constexpr int kNotSupported = 3;
constexpr int kNotFound = 6;
constexpr int kInsufficientSize = 7;
constexpr int kFunctionNotFound = 13;
constexpr int kUnknown = 999;

using Text = std::array<char, 128>;

struct Process {  // nvml.h: nvmlProcessInfo_v2_t
  unsigned pid = 0;
  unsigned long long used = 0;
  unsigned gpu_instance = 0xFFFFFFFF, compute_instance = 0xFFFFFFFF;
};

struct Processes {
  unsigned count = 0;
  std::array<Process, 4> list{};
};

/// A GPU, or a part of one: then it has a parent.
struct Device {
  Device* parent = nullptr;
  unsigned index = 0, gpu_instance = 0, compute_instance = 0;
  std::array<Device*, 7> parts{};
  Processes compute{}, graphics{};
  Text name{}, uuid{}, bus{};
  unsigned minor = 0;
  int major_capability = 0, minor_capability = 0;
  int status = 0, lost = 0;      // of the handle; of the first question
  double memory = -1, used = 0;  // GiB; -1: not supported
  int persistence = 1, mode = 0, processes = 0;
  int mig = -1, mig_pending = 0, mig_devices = 0;
  int ecc = 0, pending = 0, remap_failed = 0;
  unsigned long long throttle = 0;
  int fabric = 0, brand = 0;
  int nvlink = 0, apart = 0;  // the number of its NVLink domain; reaches no other GPU
};

struct State {
  int init = 0;
  Text driver{};
  int cuda = 12080;
  int cuinit = 0, cudevices = -1;
  unsigned count = 0;
  std::array<Device, 16> devices{};
  unsigned part_count = 0;
  std::array<Device, 64> parts{};
  Text without{};
};
extern State state;

/// Reads `fake_nvml.conf` anew.
void read_state();

/// Whether the driver is to lack this function.
bool is_without(const char* function);

}  // namespace fake
