/// The layers of an image, bottom first: which are known, which have to be made, and making them.
///
/// A layer that was made once is remembered by what went into it (docs/formats/store.md),
/// so a build does only the work whose inputs changed.
#pragma once

#include <string>
#include <vector>

#include "layer/debian_layer.h"
#include "oci/image_config.h"
#include "plan/artifacts.h"
#include "plan/build_image.h"
#include "plan/layer_keeper.h"
#include "plan/project_folder.h"
#include "plan/tools.h"
#include "plan/wheel_facts.h"
#include "store/store.h"

namespace slipway::plan {

struct ImageTexts {
  std::string config, manifest;
  Digest config_digest, manifest_digest;
};

/// Of the image of these layers. Takes a config without diff_ids; a history in it, that of a base,
/// goes on with the layers above. Pure.
ImageTexts encode_image(oci::ImageConfig config, const std::vector<ImageLayer>& layers);

/// Writes an image, each of whose layers the store has, and gives it its name.
Result<void> put_image(const store::Store& store, const store::ImageName& name,
                       const ImageTexts& texts);

std::vector<layer::DebInput> deb_inputs(const spec::Lock& lock, const Tools& tools);

/// Of the layer of Debian packages on a base image, whose manifest the store has.
Result<Digest> apt_key(const store::Store& store, const spec::Lock& lock, const Tools& tools);

/// The files that making the missing layers needs.
Result<std::vector<Artifact>> needed_artifacts(const store::Store& store, const spec::Lock& lock,
                                               Bytecode bytecode, const Tools& tools);

/// Makes what is missing and returns all, bottom first: base (of a base image all of its layers,
/// and one of the Debian packages on it), frame, packages, code.
class LayerBuilder {
 public:
  LayerBuilder(const store::Store& store, const ProjectFolder& project, const spec::Lock& lock,
               const BuildRequest& request, const Tools& tools)
      : store_(store),
        project_(project),
        lock_(lock),
        request_(request),
        tools_(tools),
        keeper_(store, request, tools) {}

  Result<std::vector<ImageLayer>> build();

 private:
  Result<ImageLayer> base_layer(const CancelToken& cancel);
  Result<std::vector<ImageLayer>> base_layers(const CancelToken& cancel);
  Result<ImageLayer> apt_layer(const std::vector<ImageLayer>& base, const CancelToken& cancel);
  Result<ImageLayer> frame_layer(const std::vector<ImageLayer>& base);
  Result<std::vector<ImageLayer>> code_layers();
  Result<void> check_wheel_collisions(const std::vector<WheelFacts>& wheels);

  const store::Store& store_;
  const ProjectFolder& project_;
  const spec::Lock& lock_;
  const BuildRequest& request_;
  const Tools& tools_;
  LayerKeeper keeper_;
};

}  // namespace slipway::plan
