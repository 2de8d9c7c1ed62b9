/// The digests in slipway.lock: what the last build gave, held against what a build gives.
///
/// They are derived, so a lock is as good without them. `build` writes them, `build --locked` holds
/// to them, a new solution keeps those that it did not touch (docs/formats/lock.md).
#pragma once

#include <string>
#include <vector>

#include "oci/image_config.h"
#include "plan/build_image.h"
#include "plan/project_folder.h"
#include "plan/tools.h"
#include "spec/lock.h"

namespace slipway::plan {

/// What a lock says of an image of these layers: nothing of the project's code. `config` is
/// make_config's.
spec::LockedImage make_locked_image(const oci::ImageConfig& config,
                                    const std::vector<ImageLayer>& layers);

/// "torch", "the base", "the project". `position` is that in the image.
std::string layer_label(const ImageLayer& layer, std::size_t position);

/// A place where `built` is not what `locked` says, each with the sentence for people. Where the
/// image of `locked` is not known (see LockedImage), only layers that both have are compared.
struct Difference {
  std::string what;  ///< "torch", "the frame", "the configuration"
  std::string text;  ///< "torch is sha256:…, and the lock says sha256:…"
  bool operator==(const Difference&) const = default;
};
std::vector<Difference> compare_images(const spec::LockedImage& locked,
                                       const spec::LockedImage& built, Bytecode bytecode);

/// For a build that must give what the lock says. Fails with Corrupt and names each layer that is
/// another one. `lock_file` is for the message.
Result<void> check_locked_image(const spec::LockedImage& locked, const spec::LockedImage& built,
                                Bytecode bytecode, const std::string& lock_file);

/// Fails with Unsupported where the lock's layers have another layout than this program's.
Result<void> check_locked_layout(const spec::Lock& lock, const std::string& lock_file);

/// Writes what was built into slipway.lock, where that still holds the solution of `lock`.
/// Returns what to tell of it; nothing where the file said so already. Fails as write_file does: a
/// project that cannot be written to is none the worse for it.
Result<std::string> record_build(const ProjectFolder& project, const spec::Lock& lock,
                                 const BuiltImage& image, const Tools& tools);

/// What of `old.image` still holds for the solution in `now`: all of it where that is the same;
/// else the layers whose packages are. Those of the user and of the project's code come back with
/// the next build.
std::optional<spec::LockedImage> kept_image(const spec::Lock& old, const spec::Lock& now,
                                            const Tools& tools);

}  // namespace slipway::plan
