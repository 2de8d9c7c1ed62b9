#include "gpu/gpu_choice.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/file.h"
#include "gpu/mig.h"

namespace slipway::gpu {
namespace {

/// What can be given to a container: a whole GPU, or a part of one.
struct Unit {
  std::size_t gpu = 0;
  std::optional<std::size_t> part;
  auto operator<=>(const Unit&) const = default;
};

std::optional<unsigned> number_of(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_name(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    return number_of(text.substr(0, colon)) && number_of(text.substr(colon + 1));
  }
  return number_of(text) || text.starts_with("GPU-") || text.starts_with("MIG-");
}

Error bad_choice(std::string_view text) {
  return make_error(ErrorKind::InvalidInput, "`--gpus {}` is not understood", text)
      .hint(
          "`all`, `none`, `auto`, a number of GPUs, or which: `0,2`, `device=0`, `GPU-…`, `MIG-…`, "
          "`0:1`");
}

/// In NVML's order; a divided GPU is there as its parts alone.
std::vector<Unit> units_of(const HostGpus& host) {
  std::vector<Unit> units;
  for (std::size_t i = 0; i < host.gpus.size(); ++i) {
    if (!host.gpus[i].mig_enabled) units.push_back({i, std::nullopt});
    for (std::size_t part = 0; part < host.gpus[i].mig_devices.size(); ++part) {
      units.push_back({i, part});
    }
  }
  return units;
}

std::string uuid_of(const HostGpus& host, const Unit& unit) {
  const Gpu& gpu = host.gpus[unit.gpu];
  return unit.part ? gpu.mig_devices[*unit.part].uuid : gpu.uuid;
}

/// `0` or `0:1`, as the unit can be asked for.
std::string index_of(const HostGpus& host, const Unit& unit) {
  if (!unit.part) return fmt::format("{}", unit.gpu);
  return fmt::format("{}:{}", unit.gpu, host.gpus[unit.gpu].mig_devices[*unit.part].index);
}

bool is_meant(const HostGpus& host, const Unit& unit, const std::string& name) {
  if (index_of(host, unit) == name || uuid_of(host, unit) == name) return true;
  // The whole of a divided GPU is all its parts.
  return unit.part && (fmt::format("{}", unit.gpu) == name || host.gpus[unit.gpu].uuid == name);
}

std::string list_of(const HostGpus& host, const std::vector<Unit>& units) {
  std::vector<std::string> words;
  for (const Unit& unit : units) {
    const Gpu& gpu = host.gpus[unit.gpu];
    words.push_back(fmt::format("`{}` ({}, {})", index_of(host, unit),
                                unit.part ? gpu.mig_devices[*unit.part].name : gpu.name,
                                uuid_of(host, unit)));
  }
  return words.empty() ? "this host has none"
                       : fmt::format("this host has {}", fmt::join(words, ", "));
}

Result<std::vector<Unit>> find_named(const HostGpus& host, const std::vector<Unit>& units,
                                     const std::string& name) {
  std::vector<Unit> found;
  for (const Unit& unit : units) {
    if (is_meant(host, unit, name)) found.push_back(unit);
  }
  if (!found.empty()) return found;
  const bool is_uuid = name.starts_with("GPU-") || name.starts_with("MIG-");
  for (const Unit& unit : units) {
    if (is_uuid && uuid_of(host, unit).starts_with(name)) found.push_back(unit);
  }
  if (found.size() == 1) return found;
  Error error = make_error(ErrorKind::NotFound, "there is no GPU `{}`", name);
  if (!found.empty()) error.message = fmt::format("several GPUs begin with `{}`", name);
  return std::move(error).hint(list_of(host, units));
}

/// The number at the end of `…/PREFIXn`; -1: the node is none of these.
int number_after(std::string_view path, std::string_view prefix) {
  const std::string_view name = base_name(path);
  if (!name.starts_with(prefix)) return -1;
  const std::optional<unsigned> number = number_of(name.substr(prefix.size()));
  return number ? static_cast<int>(*number) : -1;
}

void keep_nodes(HostGpus& host) {
  std::set<int> minors, capabilities;
  for (const Gpu& gpu : host.gpus) {
    minors.insert(gpu.minor);
    for (const MigDevice& part : gpu.mig_devices) {
      capabilities.insert({part.gpu_instance_cap, part.compute_instance_cap});
    }
  }
  std::erase_if(host.device_nodes, [&](const std::string& node) {
    const int minor = number_after(node, "nvidia");
    if (minor >= 0) return !minors.contains(minor);
    const int capability = number_after(node, "nvidia-cap");
    return capability >= 0 && !capabilities.contains(capability);
  });
}

void keep_units(HostGpus& host, const std::set<Unit>& chosen) {
  std::vector<Gpu> gpus;
  for (std::size_t i = 0; i < host.gpus.size(); ++i) {
    Gpu gpu = host.gpus[i];
    gpu.mig_devices.clear();
    for (std::size_t part = 0; part < host.gpus[i].mig_devices.size(); ++part) {
      if (chosen.contains({i, part})) gpu.mig_devices.push_back(host.gpus[i].mig_devices[part]);
    }
    if (chosen.contains({i, std::nullopt}) || !gpu.mig_devices.empty())
      gpus.push_back(std::move(gpu));
  }
  host.gpus = std::move(gpus);
}

}  // namespace

Result<GpuChoice> parse_gpu_choice(std::string_view text) {
  if (text == "none") return GpuChoice{GpuChoice::Kind::None, 0, {}};
  if (text == "auto") return GpuChoice{GpuChoice::Kind::Automatic, 0, {}};
  if (text == "all") return GpuChoice{GpuChoice::Kind::All, 0, {}};
  constexpr std::string_view kDevice = "device=";
  const std::string_view whole = text;
  const bool is_named = text.starts_with(kDevice);
  if (is_named) text.remove_prefix(kDevice.size());
  if (const auto count = number_of(text); count && !is_named) {
    if (*count > 0) return GpuChoice{GpuChoice::Kind::Count, *count, {}};
    return make_error(ErrorKind::InvalidInput, "`--gpus 0` could mean two things")
        .hint("`--gpus none` for no GPU, `--gpus device=0` for the first");
  }
  GpuChoice choice{GpuChoice::Kind::Named, 0, {}};
  while (true) {
    const std::size_t comma = text.find(',');
    if (!is_name(text.substr(0, comma))) return bad_choice(whole);
    choice.names.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return choice;
    text.remove_prefix(comma + 1);
  }
}

std::string gpu_choice_text(const GpuChoice& choice) {
  switch (choice.kind) {
    case GpuChoice::Kind::None:
      return "none";
    case GpuChoice::Kind::Automatic:
      return "auto";
    case GpuChoice::Kind::All:
      return "all";
    case GpuChoice::Kind::Count:
      return fmt::format("{}", choice.count);
    case GpuChoice::Kind::Named:
      break;
  }
  return fmt::format("{}", fmt::join(choice.names, ","));
}

Result<HostGpus> choose_gpus(HostGpus host, const GpuChoice& choice) {
  const bool is_all =
      choice.kind == GpuChoice::Kind::All || choice.kind == GpuChoice::Kind::Automatic;
  if (host.is_wsl) {
    if (is_all) return host;
    return make_error(ErrorKind::Unsupported, "on WSL2 all GPUs are one device")
        .hint("`--gpus all`, and CUDA_VISIBLE_DEVICES inside");
  }
  const std::vector<Unit> units = units_of(host);
  if (units.empty()) {
    return make_error(ErrorKind::Unsupported, "no GPU of this host can be used")
        .reason("all are divided (MIG), and none has a part")
        .hint(
            "`sudo nvidia-smi mig -cgi 0 -C` makes one, `sudo nvidia-smi -mig 0` ends the "
            "division");
  }
  std::set<Unit> chosen;
  if (choice.kind == GpuChoice::Kind::Named) {
    for (const std::string& name : choice.names) {
      const std::vector<Unit> found = TRY(find_named(host, units, name));
      chosen.insert(found.begin(), found.end());
    }
  } else {
    const std::size_t count = is_all ? units.size() : choice.count;
    if (count > units.size()) {
      return make_error(ErrorKind::Unsupported, "there are not {} GPUs here", count)
          .hint(list_of(host, units));
    }
    chosen.insert(units.begin(), units.begin() + static_cast<std::ptrdiff_t>(count));
  }
  keep_units(host, chosen);
  keep_nodes(host);
  return host;
}

}  // namespace slipway::gpu
