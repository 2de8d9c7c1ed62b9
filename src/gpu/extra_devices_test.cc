#include "gpu/extra_devices.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "gpu/testing/fake_host.h"

namespace slipway::gpu {
namespace {

/// False where this user may make none.
bool make_node(const FakeHost& host, const std::string& path) {
  REQUIRE(make_folders(parent_path(host / path)).ok());
  return ::mknod((host / path).c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0;
}

TEST_CASE("names of devices") {
  for (const char* device : {"nvidia.com/gds=all", "nvidia.com/mofed=all", "nvidia.com/gdrcopy",
                             "nvidia.com/imex-channel=3"}) {
    CAPTURE(device);
    CHECK(is_extra_device(device));
  }
  for (const char* device :
       {"nvidia.com/gpu=all", "nvidia.com/", "/dev/gdrdrv", "gds", "a.com/gds=all"}) {
    CAPTURE(device);
    CHECK_FALSE(is_extra_device(device));
  }
}

TEST_CASE("what cannot be had is refused, with what is missing") {
  FakeHost host;
  host.file("/dev/gdrdrv", "a file is no device");
  host.link("/dev/nvidia-fs0", "/dev/null");  // where it leads is somebody's to change
  host.file("/etc/cufile.json", "{}");
  struct Case {
    std::string device;
    ErrorKind kind;
    std::string reason;
  };
  for (const Case& c :
       {Case{"nvidia.com/gds=all", ErrorKind::NotFound, "there is no /dev/nvidia-fs*"},
        {"nvidia.com/mofed=all", ErrorKind::NotFound, "there is no /dev/infiniband/uverbs*"},
        {"nvidia.com/gdrcopy=all", ErrorKind::NotFound, "there is no /dev/gdrdrv*"},
        {"nvidia.com/imex-channel=all", ErrorKind::NotFound,
         "there is no /dev/nvidia-caps-imex-channels/channel*"},
        {"nvidia.com/imex-channel=7", ErrorKind::NotFound,
         "there is no " + host / "/dev/nvidia-caps-imex-channels/channel7"},
        {"nvidia.com/imex-channel=1048576", ErrorKind::InvalidInput, ""},
        {"nvidia.com/imex-channel=-1", ErrorKind::InvalidInput, ""},
        {"nvidia.com/imex-channel=0/../x", ErrorKind::InvalidInput, ""},
        {"nvidia.com/imex-channel", ErrorKind::InvalidInput, ""},
        {"nvidia.com/gds=0", ErrorKind::InvalidInput, ""},
        {"nvidia.com/mofed", ErrorKind::InvalidInput, ""}}) {
    CAPTURE(c.device);
    const auto found = find_extra_devices(host / "", c.device);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().kind == c.kind);
    if (!c.reason.empty()) CHECK(found.error().because.at(0) == c.reason);
  }
}

TEST_CASE("what belongs to each, and nothing that manages") {
  FakeHost host;
  if (!make_node(host, "/dev/nvidia-fs1")) return;
  for (const char* path :
       {"/dev/nvidia-fs0", "/dev/nvidia-fsx", "/dev/gdrdrv", "/dev/infiniband/uverbs0",
        "/dev/infiniband/uverbs11", "/dev/infiniband/rdma_cm", "/dev/infiniband/umad0",
        "/dev/infiniband/issm0", "/dev/nvidia-caps-imex-channels/channel0",
        "/dev/nvidia-caps-imex-channels/channel1048575"}) {
    REQUIRE(make_node(host, path));
  }
  host.file("/etc/cufile.json", "{}");
  REQUIRE(make_folders(host / "/run/udev").ok());
  const auto find = [&](const char* device) {
    return find_extra_devices(host / "", device).value();
  };
  CHECK(find("nvidia.com/gds=all") ==
        ExtraDevices{{host / "/dev/nvidia-fs0", host / "/dev/nvidia-fs1"},
                     {host / "/etc/cufile.json"},
                     {host / "/run/udev"}});
  CHECK(find("nvidia.com/mofed=all") ==
        ExtraDevices{{host / "/dev/infiniband/rdma_cm", host / "/dev/infiniband/uverbs0",
                      host / "/dev/infiniband/uverbs11"},
                     {},
                     {}});
  CHECK(find("nvidia.com/gdrcopy=all") == ExtraDevices{{host / "/dev/gdrdrv"}, {}, {}});
  CHECK(find("nvidia.com/imex-channel=1048575") ==
        ExtraDevices{{host / "/dev/nvidia-caps-imex-channels/channel1048575"}, {}, {}});
  CHECK(find("nvidia.com/imex-channel=all").nodes.size() == 2);
}

}  // namespace
}  // namespace slipway::gpu
