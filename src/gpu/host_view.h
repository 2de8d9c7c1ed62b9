/// The host as the doctor sees it: files below a root folder, and who asks.
///
/// Tests give a root folder of their own; nothing outside it is read then, and nothing is tried
/// (no mount, no namespace) that only the running system can answer.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::gpu {

struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary ones too
  std::string name = "root";

  static Caller current();
};

struct HostView {
  std::string root = "/";
  Caller caller;

  bool is_live() const { return root == "/"; }
  std::string at(std::string_view path) const;  ///< `path` (absolute) below the root
  bool has(std::string_view path) const;        ///< links are not followed out of the root
  /// The text without white space at its ends; empty where it cannot be read.
  std::string text(std::string_view path) const;
  std::vector<std::string> names(std::string_view folder) const;  ///< empty where there is none
  /// The contents of a link with that base name only: `../../bus/pci/drivers/nvidia` -> `nvidia`.
  std::string link_name(std::string_view path) const;
};

/// The words of a number file: "1" -> 1; -1 where it is not there or not a number.
long long number_in(const HostView& host, std::string_view path);

/// Which package manager the remedies speak of (os-release(5)).
struct Distribution {
  std::string id;           ///< debian, ubuntu, fedora, …; empty when unknown
  std::string pretty_name;  ///< `Debian GNU/Linux 12 (bookworm)`
  enum class Family { Debian, Fedora, Suse, Arch, Other } family = Family::Other;
};

Distribution read_distribution(const HostView& host);

/// `sudo apt-get install NAME`, or what the family says instead.
std::string install_command(const Distribution& distribution, std::string_view debian_package,
                            std::string_view fedora_package);

}  // namespace slipway::gpu
