/// What an image has besides packages: its user, the virtual environment's frame, the project's
/// code, and the configuration that ties them together. docs/formats/image.md has the details.
#pragma once

#include <string>
#include <vector>

#include "layer/debian_users.h"
#include "layer/tar_layer.h"
#include "oci/image_config.h"
#include "plan/project_folder.h"
#include "plan/wheel_facts.h"

namespace slipway::plan {

/// Where things are inside the image.
inline constexpr const char* kVenv = "/opt/venv";
inline constexpr const char* kWorkspace = "/workspace";
inline constexpr const char* kInit = "/usr/bin/catatonit";

/// Labels that Slipway reads back.
inline constexpr const char* kModesLabel = "dev.slipway.modes";  ///< JSON: name -> command
inline constexpr const char* kLockLabel =
    "dev.slipway.lock";  ///< sha256 of slipway.lock without [image]
/// Annotation of a layer's descriptor: its packages, separated by ", ".
inline constexpr const char* kPackagesAnnotation = "dev.slipway.packages";

/// The frame layer: user databases with the image's user, home, /workspace, and what `python -m
/// venv` would leave under /opt/venv. `base` holds the databases of the base; a shadow file is made
/// only where it has one. Pure.
Result<std::vector<layer::Entry>> frame_entries(const spec::Project& project,
                                                const spec::Lock& lock,
                                                const layer::UserFiles& base);

/// Fails with InvalidInput where a wheel brings what the frame makes: an interpreter of its own
/// would run instead of the image's. Pure.
Result<void> check_frame(const spec::Lock& lock, const std::vector<WheelFacts>& wheels);

/// The project layer: the files that [project] copy names, under /workspace, owned by root. Fails
/// with InvalidInput for what is not there, and for links that lead out of the project.
Result<std::vector<layer::Entry>> code_entries(const ProjectFolder& project);

/// Everything of the configuration but the layers. `base` is that of the lock's base image, on
/// which ours is put as a Dockerfile's is on that of its FROM; else null. Fails as default_mode
/// does. Pure.
Result<oci::ImageConfig> make_config(const spec::Project& project, const spec::Lock& lock,
                                     const oci::ImageConfig* base);

}  // namespace slipway::plan
