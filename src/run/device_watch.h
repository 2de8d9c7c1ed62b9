/// Whether a container still has the devices it was given.
///
/// It can lose them while it runs: systemd's daemon-reload writes the device rules of control
/// groups anew, and a driver that is loaded again has nodes with other numbers. Programs inside
/// then fail at the next open(2), with "unknown error" at best.
#pragma once

#include <string>
#include <vector>

#include "run/bundle.h"

namespace slipway::run {

class DeviceWatch {
 public:
  /// `group` is the container's control group, as in RunState; empty: none of its own.
  DeviceWatch(std::vector<BundleDevice> devices, std::string group)
      : devices_(std::move(devices)), group_(std::move(group)) {}

  /// What is lost, in plain words; empty while nothing is. For a process without threads: a child
  /// of ours joins the group for a moment and tries to open the first device.
  std::string find_loss() const;

 private:
  std::string find_changed_node() const;
  bool is_closed_to_group() const;
  std::vector<BundleDevice> devices_;
  std::string group_;
};

}  // namespace slipway::run
