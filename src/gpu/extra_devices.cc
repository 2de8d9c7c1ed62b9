#include "gpu/extra_devices.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/file.h"

namespace slipway::gpu {
namespace {

constexpr std::string_view kMaker = "nvidia.com/";
constexpr std::string_view kImex = "imex-channel";
constexpr unsigned kMostChannel =
    (1U << 20) - 1;  // NVIDIA Container Toolkit, pkg/nvcdi/lib-imex.go

/// Nodes `PREFIX*` in a folder; the first kind must be there.
struct Nodes {
  const char *folder, *prefix;
};

struct Extra {
  std::string_view name;
  std::string_view needs;  ///< what has to be installed, for the hint
  std::vector<Nodes> nodes;
  std::vector<std::string> files, folders;
};

const std::vector<Extra>& extras() {
  static const std::vector<Extra> kExtras = {
      {"gds",
       "GPUDirect Storage needs the kernel module nvidia-fs",
       {{"/dev", "nvidia-fs"}},
       {"/etc/cufile.json"},
       {"/run/udev"}},
      {"mofed",
       "RDMA needs an adapter and the kernel module ib_uverbs",
       {{"/dev/infiniband", "uverbs"}, {"/dev/infiniband", "rdma_cm"}},
       {},
       {}},
      {"gdrcopy", "GDRCopy needs the kernel module gdrdrv", {{"/dev", "gdrdrv"}}, {}, {}},
      {kImex,
       "IMEX needs GPUs that NVLink joins across hosts; `nvidia-modprobe -i CHANNEL` as root makes "
       "a "
       "channel",
       {{"/dev/nvidia-caps-imex-channels", "channel"}},
       {},
       {}}};
  return kExtras;
}

struct Name {
  const Extra* extra = nullptr;
  std::string_view device;
};

std::optional<Name> split(std::string_view text) {
  if (!text.starts_with(kMaker)) return std::nullopt;
  text.remove_prefix(kMaker.size());
  const std::size_t equals = std::min(text.find('='), text.size());
  const auto found = std::ranges::find(extras(), text.substr(0, equals), &Extra::name);
  if (found == extras().end()) return std::nullopt;
  return Name{&*found, text.substr(std::min(equals + 1, text.size()))};
}

std::string at(const std::string& root, const std::string& path) {
  return root == "/" ? path : root + path;
}

bool is_node(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode);
}

bool is_digits(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::vector<std::string> find_nodes(const std::string& root, const Nodes& nodes) {
  std::vector<std::string> found;
  const Result<std::vector<std::string>> names = list_folder(at(root, nodes.folder));
  if (!names.ok()) return found;
  for (const std::string& name : *names) {
    const std::string path = at(root, join_path(nodes.folder, name));
    const bool is_one =
        name.starts_with(nodes.prefix) &&
        is_digits(std::string_view(name).substr(std::string_view(nodes.prefix).size()));
    if (is_one && is_node(path)) found.push_back(path);
  }
  return found;
}

Error bad_name(std::string_view device, std::string hint) {
  return make_error(ErrorKind::InvalidInput, "`--device {}` cannot be read", device)
      .hint(std::move(hint));
}

Error not_there(std::string_view device, const Extra& extra, std::string_view what) {
  return make_error(ErrorKind::NotFound, "`--device {}` cannot be had here", device)
      .reason(fmt::format("there is no {}", what))
      .hint(std::string(extra.needs));
}

Result<std::string> find_channel(const std::string& root, std::string_view device,
                                 const Name& name) {
  unsigned number = 0;
  const char* const end = name.device.data() + name.device.size();
  const auto [read_to, error] = std::from_chars(name.device.data(), end, number);
  if (error != std::errc() || read_to != end || number > kMostChannel) {
    return bad_name(device, fmt::format("a channel is a number up to {}, or `all`", kMostChannel));
  }
  std::string path =
      at(root, fmt::format("{}/channel{}", name.extra->nodes.front().folder, number));
  if (!is_node(path)) return not_there(device, *name.extra, path);
  return path;
}

}  // namespace

bool is_extra_device(std::string_view device) { return split(device).has_value(); }

Result<ExtraDevices> find_extra_devices(const std::string& root, std::string_view device) {
  const std::optional<Name> name = split(device);
  SLIPWAY_CHECK(name);
  const Extra& extra = *name->extra;
  ExtraDevices found;
  if (extra.name == kImex && name->device != "all") {
    found.nodes.push_back(TRY(find_channel(root, device, *name)));
    return found;
  }
  if (name->device != "all") {
    return bad_name(device, fmt::format("write `--device {}{}=all`", kMaker, extra.name));
  }
  for (const Nodes& nodes : extra.nodes) {
    for (std::string& path : find_nodes(root, nodes)) found.nodes.push_back(std::move(path));
    if (found.nodes.empty()) {
      return not_there(device, extra, fmt::format("{}/{}*", nodes.folder, nodes.prefix));
    }
  }
  std::ranges::sort(found.nodes);
  for (const std::string& path : extra.files) {
    if (path_exists(at(root, path)) && !is_folder(at(root, path))) {
      found.files.push_back(at(root, path));
    }
  }
  for (const std::string& path : extra.folders) {
    if (is_folder(at(root, path))) found.folders.push_back(at(root, path));
  }
  return found;
}

}  // namespace slipway::gpu
