/// A network of the container's own, joined to the host's by pasta (package `passt`).
///
/// The room is made in a new network namespace; pasta copies the host's address and routes into
/// it and carries what the container sends out, as sockets of the caller's, so nothing here needs
/// root. Into it leads what was published, and nothing else: neither the host's loopback nor its
/// gateway's address reach services of the host. pasta lives in the room's pid namespace and so
/// cannot outlive the run, whatever ends it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/sandbox_steps.h"
#include "base/unique_fd.h"
#include "run/port_map.h"

namespace slipway::run {

class PrivateNetwork {
 public:
  /// Looks for pasta and claims the ports (claim_ports). `folder` is the run's own. Fails with
  /// NotFound where pasta is not installed, and as claim_ports does.
  static Result<PrivateNetwork> prepare(std::vector<PortMap> ports, std::string folder);
  PrivateNetwork(PrivateNetwork&& other) noexcept;
  PrivateNetwork& operator=(PrivateNetwork&&) = delete;
  /// Waits for pasta to be gone: the room must have ended.
  ~PrivateNetwork();

  /// Those of the caller, each with the host's port that it has now.
  const std::vector<PortMap>& ports() const { return ports_; }
  /// For the room's list: there it waits until `connect` is done.
  ChildStep make_wait_step() const;
  /// After the room has started: joins its network to the host's, and lets it go on. Blocks for
  /// some ten milliseconds. Fails with Unavailable, with what pasta said.
  Result<void> connect(pid_t room, const CancelToken& cancel);

  /// What the container's /etc/resolv.conf says: pasta answers there for the host's own server.
  static std::string make_resolver_text(std::string_view host_text);

 private:
  PrivateNetwork() = default;
  std::vector<std::string> arguments() const;

  std::string program_;
  std::string folder_;
  std::vector<PortMap> ports_;
  UniqueFd go_read_;
  UniqueFd go_write_;
  pid_t pasta_ = -1;  ///< the process that waits for it
};

}  // namespace slipway::run
