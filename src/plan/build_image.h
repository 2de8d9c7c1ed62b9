/// `slipway build`: from a lock to an image in the store.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "oci/media_type.h"
#include "plan/project_folder.h"
#include "plan/tools.h"

namespace slipway::plan {

enum class Bytecode { No, Yes };
enum class Proof { Skip, Closure };
/// What the lock says of the image's digests: to be held to, or to be written anew
/// (lock_digests.h).
enum class Digests { Written, Held };

/// First of the packages of the layer of Debian packages on a base image: no package is called so,
/// since a version follows their names.
inline constexpr std::string_view kAptLabel = "Debian packages";

struct ImageLayer {
  Digest digest;
  Digest diff_id;
  std::uint64_t size_bytes = 0;
  /// What is in it: "torch 2.6.0"; "six 1.17.0", "bytecode"; "bytecode of torch 2.6.0"; "project";
  /// "base layer 1 of 3"; …
  std::vector<std::string> packages;
  std::uint64_t tar_bytes = 0;
  std::optional<Digest> toc;  ///< of the table of contents at its end (layer/stargz_toc.h)
  std::string media_type{oci::kMediaTypeLayerGzip};
};

struct BuildRequest {
  Bytecode bytecode = Bytecode::Yes;
  Proof proof = Proof::Closure;
  Digests digests = Digests::Written;
  std::string bytecode_folder{};  ///< keeps compiled files between builds; empty: the cache does
  /// Told of a layer once the store has it; not of every one. From any thread.
  std::function<void(const ImageLayer&)> on_layer{};
};

struct BuiltImage {
  std::string reference;  ///< "pytorch-cuda:2.6"
  Digest digest;          ///< of the manifest
  std::vector<ImageLayer> layers;
  bool was_complete = false;  ///< nothing had to be done

  std::uint64_t size_bytes() const;  ///< of all layers, compressed
};

/// The image, where the store has all of it already: quick, and needs no rights. With
/// Digests::Held, fails with Corrupt where it is not the lock's, or Unsupported for a lock of
/// another layout; it then gets no name.
Result<std::optional<BuiltImage>> find_built_image(const ProjectFolder& project,
                                                   const spec::Lock& lock,
                                                   const BuildRequest& request, const Tools& tools);

/// Downloads what the missing layers are made of. To be called as the caller, before a user
/// namespace is entered: the cache is the caller's. Fails as fetch_artifacts does.
Result<void> fetch_for_build(const ProjectFolder& project, const spec::Lock& lock,
                             Bytecode bytecode, const Tools& tools);

/// Makes what the store does not have yet and names the image `name:tag`. The lock must match
/// slipway.toml (see lock_project) and fetch_for_build must have brought the files. The process
/// must be able to make root's files: root, or inside the user namespace of base/user_namespace.h.
///
/// Stops within a second of a cancel; what is complete stays and is used next time. Fails with
/// Corrupt (an artifact; with Digests::Held, an image that is not the lock's, which then gets no
/// name), InvalidInput (packages that collide, a project file that is not there),
/// Unsolvable (the proof failed), Io.
Result<BuiltImage> build_image(const ProjectFolder& project, const spec::Lock& lock,
                               const BuildRequest& request, const Tools& tools);

}  // namespace slipway::plan
