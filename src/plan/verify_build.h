/// `slipway verify`: the image once more from its lock, beside the one that is there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/build_image.h"
#include "plan/image_layers.h"
#include "plan/project_folder.h"
#include "plan/stored_images.h"
#include "plan/tools.h"
#include "store/store.h"

namespace slipway::plan {

/// Something that the rebuilt image has otherwise.
struct BuildDifference {
  enum class From { Lock, Image } from = From::Lock;
  std::string what;   ///< "torch", "the frame", "the configuration"
  std::string text;   ///< a sentence
  std::string where;  ///< in a layer: the first entry that differs; empty where that is not known
};

struct VerifiedBuild {
  Digest rebuilt;                ///< the manifest
  std::size_t layers = 0;        ///< that were made
  std::optional<Digest> locked;  ///< the lock's, which is without the project's code
  std::optional<Digest> stored;  ///< the image's
  std::vector<BuildDifference> differences;
};

/// Makes everything anew in a store of its own within the store's tmp/, which goes with this
/// object; after a kill, whoever uses the store next removes it. What is remembered of earlier
/// builds, layers and bytecode, is not used; downloads are. Holds a lease of the store.
class BuildVerifier {
 public:
  /// `image` may be null: then the lock alone is compared. It borrows all but that. Fails with
  /// InvalidInput where the image was made from another lock, NotFound where there is nothing to
  /// compare with, Unsupported for a lock of another layout.
  static Result<BuildVerifier> start(const ProjectFolder& project, const spec::Lock& lock,
                                     std::optional<StoredImage> image, const Tools& tools);

  /// Downloads what the cache lacks. As the caller, before a user namespace is entered.
  Result<void> fetch();

  /// As build_image: `owner` is the store's, as seen from where we are now. A difference is no
  /// failure. Disk: as much as the image takes unpacked.
  Result<VerifiedBuild> verify(store::Owner owner);

 private:
  BuildVerifier(const ProjectFolder& project, const spec::Lock& lock,
                std::optional<StoredImage> image, const Tools& tools, store::Lease lease,
                TemporaryFolder scratch);

  Result<std::string> find_where(const ImageLayer& rebuilt, const ImageLayer& stored) const;
  Result<void> compare_with_image(const std::vector<ImageLayer>& rebuilt, const ImageTexts& texts,
                                  VerifiedBuild& outcome) const;

  const ProjectFolder& project_;
  const spec::Lock& lock_;
  std::optional<StoredImage> image_;
  Tools tools_;  ///< with the real store
  store::Lease lease_;
  TemporaryFolder scratch_;
  Tools scratch_tools_;  ///< with the scratch store
};

}  // namespace slipway::plan
