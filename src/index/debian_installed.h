/// What dpkg and the packages themselves leave in an image about what is installed: the status file
/// (dpkg-query(1), deb822(5)) and debian/copyright in its machine-readable form (copyright-format
/// 1.0). Everything here is pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::index {

struct InstalledDeb {
  std::string name, version, architecture;
  std::string source, source_version;  ///< empty where they are the package's own
  std::string maintainer, homepage;
  std::string summary;                            ///< the first line of Description
  std::vector<std::vector<std::string>> depends;  ///< Pre-Depends and Depends: alternatives
  std::vector<std::string> provides;              ///< names
  bool operator==(const InstalledDeb&) const = default;
};

/// The packages of `/var/lib/dpkg/status`, or of a file of `status.d`, that are installed: whose
/// Status ends in `installed` (where it is missing, as in status.d, all are). In the file's order;
/// paragraphs without a name or a version are passed over.
std::vector<InstalledDeb> parse_installed_debs(std::string_view text);

/// What a copyright file says of the package as a whole and of its files.
struct DebianCopyright {
  bool is_machine_readable = false;
  std::vector<std::string> licences;         ///< short names, sorted, each once
  std::map<std::string, std::string> texts;  ///< by short name, of those with a text
  bool operator==(const DebianCopyright&) const = default;
};

DebianCopyright parse_debian_copyright(std::string_view text);

}  // namespace slipway::index
