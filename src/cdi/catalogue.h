/// The CDI devices of this machine: what the specification files in some folders define.
///
/// A later folder goes before an earlier one: /var/run/cdi, which programs write, before /etc/cdi.
/// Two files of one folder that define the same device make it unusable. A file that cannot be used
/// spoils nothing but itself; it is remembered for those who miss a device.
///
/// What such a file says is done as the caller, with root's rights where that is root: so only
/// files count that belong to root or the caller and that nobody else can write.
#pragma once

#include <string>
#include <vector>

#include "cdi/spec.h"

namespace slipway::cdi {

/// /etc/cdi and /var/run/cdi, in this order.
std::vector<std::string> default_folders();

struct SpecFile {
  std::string path;
  std::size_t folder = 0;  ///< number of its folder
  Spec spec;
};

/// A file or folder that does not count, and why.
struct Trouble {
  std::string path, reason;
};

struct Catalogue {
  std::vector<std::string> folders;
  std::vector<SpecFile> files;  ///< by folder, then by name
  std::vector<Trouble> troubles;
};

/// Reads every *.json and *.yaml; folders that are not there are empty. To be called as the user
/// whom the files serve, before any user namespace is entered: inside, root's files show no owner.
Catalogue read_catalogue(std::vector<std::string> folders);

/// What a container with these devices needs, in the order in which it is to be done.
struct Selection {
  std::vector<std::string> names;  ///< qualified, as asked for
  std::vector<std::string> files;  ///< where they stand
  Edits edits;
};

/// Whether that device is there and no two files of one folder claim it. Pure.
bool has_device(const Catalogue& catalogue, const QualifiedName& name);

/// A file's own edits come before those of its first device. Fails with NotFound for a device that
/// is not there (with what is: near names, the files of that kind, and those that cannot be used),
/// and with InvalidInput where several files claim it, or the name is none. Pure.
Result<Selection> select_devices(const Catalogue& catalogue, const std::vector<std::string>& names);

}  // namespace slipway::cdi
