#include "plan/build_image.h"

#include "oci/image_config.h"
#include "plan/base_apt.h"
#include "plan/base_image.h"
#include "plan/image_frame.h"
#include "plan/image_layers.h"
#include "plan/image_lock.h"
#include "plan/image_proof.h"
#include "plan/lock_digests.h"
#include "plan/stored_images.h"

namespace slipway::plan {
namespace {

/// Everything that decides the image: what was built from the same before is still right.
Result<Digest> build_key(const ProjectFolder& project, const spec::Lock& lock,
                         const BuildRequest& request, const oci::ImageConfig& config) {
  Sha256 hash;
  hash.update(fmt::format("image {} {} {} ", layer::kLayoutVersion,
                          request.bytecode == Bytecode::Yes,
                          request.proof == Proof::Closure ? kProofRules : "no proof"));
  hash.update(spec::write_solution(lock));
  const spec::Project& spec = project.spec;
  hash.update(fmt::format("{} {} {} ", spec.image.reference(), spec.user.name, spec.user.uid));
  hash.update(oci::encode_image_config(config));
  for (const layer::Entry& entry : TRY(code_entries(project))) {
    hash.update(fmt::format("{} {:o} {} ", entry.path, entry.mode, entry.link_target));
    if (const auto* file = std::get_if<layer::HostFile>(&entry.content)) {
      hash.update(TRY(sha256_of_file(file->path)).hex());
    }
  }
  return hash.finish();
}

store::ImageName image_name(const ProjectFolder& project) {
  return {"", project.spec.image.name, project.spec.image.tag};
}

bool is_whole(const store::Store& store, const std::vector<ImageLayer>& layers) {
  for (const ImageLayer& layer : layers) {
    const auto recipe = store.find_recipe(layer.digest);
    const bool has_bytes =
        store.has_blob(layer.digest) || (recipe.ok() && recipe.value().has_value());
    if (!has_bytes || !store.has_layer(layer.diff_id)) return false;
  }
  return true;
}

Result<void> check_held(const ProjectFolder& project, const spec::Lock& lock,
                        const oci::ImageConfig& config, const std::vector<ImageLayer>& layers,
                        const BuildRequest& request) {
  if (request.digests != Digests::Held || !lock.image) return {};
  return check_locked_image(*lock.image, make_locked_image(config, layers), request.bytecode,
                            project.lock_file());
}

}  // namespace

std::uint64_t BuiltImage::size_bytes() const {
  std::uint64_t bytes = 0;
  for (const ImageLayer& layer : layers) bytes += layer.size_bytes;
  return bytes;
}

Result<std::optional<BuiltImage>> find_built_image(const ProjectFolder& project,
                                                   const spec::Lock& lock,
                                                   const BuildRequest& request,
                                                   const Tools& tools) {
  if (request.digests == Digests::Held) TRY(check_locked_layout(lock, project.lock_file()));
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  if (lock.base && !TRY(find_base_image(store, lock))) return std::optional<BuiltImage>();
  const oci::ImageConfig config = TRY(configure_image(store, project.spec, lock));
  const Digest key = TRY(build_key(project, lock, request, config));
  const auto text = TRY(store.find_known("image", key));
  const auto digest = text ? parse_digest(std::string_view(*text).substr(0, 71))
                           : make_error(ErrorKind::NotFound, "not built");
  if (!digest.ok() || !store.has_blob(digest.value())) return std::optional<BuiltImage>();
  const auto image = read_stored_image(store, image_name(project).text(), digest.value());
  if (!image.ok() || !is_whole(store, image->layers())) return std::optional<BuiltImage>();
  BuiltImage built{image->reference, image->digest, image->layers(), /*was_complete=*/true};
  TRY(check_held(project, lock, config, built.layers, request));
  TRY(keep_lock(store, spec::write_solution(lock)));
  if (TRY(store.find_image(image_name(project))) != digest.value()) {
    TRY(store.set_image(image_name(project), digest.value()));
  }
  store.note_use(image_name(project));
  return std::optional(std::move(built));
}

Result<void> fetch_for_build(const ProjectFolder& project, const spec::Lock& lock,
                             Bytecode bytecode, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  std::optional<BaseImage> base;
  if (lock.base) base = TRY(bring_base_image(store, *lock.base, tools));
  const auto needed = TRY(needed_artifacts(store, lock, bytecode, tools));
  Archives archives{lock.debian, project.spec.python.indexes, {}};
  if (base) {
    archives.of_base = [&](const Indexes& indexes) -> Result<std::vector<index::DebianSource>> {
      const TarTree tree = TRY(read_base_image(*base, store, tools));
      return find_base_archives(tree, base->reference, indexes);
    };
  }
  return fetch_artifacts(needed, archives, tools);
}

Result<BuiltImage> build_image(const ProjectFolder& project, const spec::Lock& lock,
                               const BuildRequest& request, const Tools& tools) {
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const oci::ImageConfig config = TRY(configure_image(store, project.spec, lock));
  const Digest key = TRY(build_key(project, lock, request, config));

  LayerBuilder builder(store, project, lock, request, tools);
  BuiltImage image{image_name(project).text(), {}, TRY(builder.build()), false};
  const ImageTexts texts = encode_image(config, image.layers);
  image.digest = texts.manifest_digest;
  TRY(check_held(project, lock, config, image.layers, request));
  if (request.proof == Proof::Closure) TRY(prove_image(store, lock, image.layers, tools));
  TRY(keep_lock(store, spec::write_solution(lock)));
  TRY(put_image(store, image_name(project), texts));
  TRY(store.put_known("image", key, image.digest.text() + "\n"));
  return image;
}

}  // namespace slipway::plan
