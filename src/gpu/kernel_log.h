/// NVIDIA's messages in the kernel's log: an Xid says that a GPU had an error, and of which kind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gpu/host_finding.h"
#include "gpu/host_view.h"

namespace slipway::gpu {

struct XidMessage {
  std::string slot;  ///< `0000:41:00`, as the driver prints it
  int number = 0;
  bool operator==(const XidMessage&) const = default;
};

/// The last Xid of each GPU in lines such as `NVRM: Xid (PCI:0000:41:00): 79, pid=…`. Pure.
std::vector<XidMessage> parse_xids(std::string_view log);

/// From /dev/kmsg; nothing where it may not be read (kernel.dmesg_restrict).
std::vector<XidMessage> read_xids(const HostView& host);

struct XidMeaning {
  const char* words;  ///< what it says of the GPU
  Severity severity;  ///< Note where programs cause it
};

/// NVIDIA's "XID Errors" list, for those that tell something about the hardware or the driver.
XidMeaning find_xid_meaning(int number);

}  // namespace slipway::gpu
