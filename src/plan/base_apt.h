/// The Debian side of a base image: which distribution it is, what dpkg has installed, and where
/// its packages come from. Read from the layers' bytes: nothing of the image is run.
#pragma once

#include <string>
#include <vector>

#include "index/debian_sources.h"
#include "plan/base_image.h"
#include "plan/indexes.h"
#include "plan/tar_tree.h"
#include "plan/tools.h"

namespace slipway::plan {

struct BaseSystem {
  std::string distribution;         ///< ID of os-release(5): "debian", "ubuntu"
  std::string codename;             ///< VERSION_CODENAME: "bookworm"; empty where it does not say
  bool has_dpkg = false;            ///< the program, and its list
  std::vector<std::string> status;  ///< texts of /var/lib/dpkg/status and status.d/

  bool is_debian() const { return distribution == "debian"; }
};

BaseSystem find_base_system(const TarTree& tree);

/// The tree of a base whose layers are blobs of the store, as read_base_tree has it.
Result<TarTree> read_base_image(const BaseImage& base, const store::Store& store,
                                const Tools& tools);

/// Where its distribution's packages are. Debian's: as this machine has them (Indexes::debian). Of
/// others what the image's own apt would ask (index/image_sources.h); `keyring` is then what the
/// image says. `name` is the base's, for messages. Fails with Unsupported where the image names no
/// archive, or not its release.
Result<std::vector<index::DebianSource>> find_base_archives(const TarTree& tree,
                                                            const std::string& name,
                                                            const Indexes& indexes);

/// Of find_base_archives, with the image's keys as files of this machine's cache. Fails with
/// Unsupported where the image has none for one of them.
Result<std::vector<index::DebianSource>> with_base_keys(std::vector<index::DebianSource> sources,
                                                        const TarTree& tree,
                                                        const std::string& name,
                                                        const Tools& tools);

}  // namespace slipway::plan
