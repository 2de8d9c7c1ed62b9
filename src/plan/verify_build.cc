#include "plan/verify_build.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file.h"
#include "plan/base_image.h"
#include "plan/image_frame.h"
#include "plan/image_layers.h"
#include "plan/layer_blobs.h"
#include "plan/layer_difference.h"
#include "plan/lock_digests.h"
#include "plan/wheel_groups.h"

namespace slipway::plan {
namespace {

Tools with_store(Tools tools, std::string folder) {
  tools.store_folder = std::move(folder);
  return tools;
}

/// The image was built as it was built: with bytecode or without.
Bytecode bytecode_of(const std::optional<StoredImage>& image) {
  if (!image) return Bytecode::Yes;
  const auto has_bytecode = [](const ImageLayer& layer) {
    return is_bytecode(layer) || is_compiled(layer);
  };
  return std::ranges::any_of(image->layers(), has_bytecode) ? Bytecode::Yes : Bytecode::No;
}

Result<void> check_same_lock(const StoredImage& image, const spec::Lock& lock) {
  const auto label = image.config.labels.find(kLockLabel);
  const std::string ours = sha256(spec::write_solution(lock)).text();
  if (label != image.config.labels.end() && label->second == ours) return {};
  return make_error(ErrorKind::InvalidInput, "`{}` was not made from this slipway.lock",
                    image.reference)
      .reason(label == image.config.labels.end()
                  ? std::string("it has no label `dev.slipway.lock`")
                  : fmt::format("its label `dev.slipway.lock` is {}, and this lock is {}",
                                label->second, ours))
      .hint("bring back the lock that it was built from, or `slipway build` it anew");
}

/// The layer's blob as a file; the bytes are those that its digest names.
Result<void> write_blob(const store::Store& store, const ImageLayer& layer, const Tools& tools,
                        const std::string& file) {
  oci::Descriptor descriptor;
  descriptor.digest = layer.digest;
  descriptor.size_bytes = layer.size_bytes;
  LayerBlobs blobs(store, tools);
  TRY(blobs.prepare("the image", {&descriptor, 1}));
  const UniqueFd fd = TRY(open_file(file, O_WRONLY | O_CREAT | O_TRUNC));
  FdSink out(fd.get());
  HashingSink hash(&out);
  TRY(blobs.write(descriptor, hash, tools.cancel));
  if (hash.finish() == layer.digest) return {};
  return make_error(ErrorKind::Corrupt, "its bytes are not {} any more", layer.digest.text());
}

}  // namespace

BuildVerifier::BuildVerifier(const ProjectFolder& project, const spec::Lock& lock,
                             std::optional<StoredImage> image, const Tools& tools,
                             store::Lease lease, TemporaryFolder scratch)
    : project_(project),
      lock_(lock),
      image_(std::move(image)),
      tools_(tools),
      lease_(std::move(lease)),
      scratch_(std::move(scratch)),
      scratch_tools_(with_store(tools, scratch_.path() + "/store")) {}

Result<BuildVerifier> BuildVerifier::start(const ProjectFolder& project, const spec::Lock& lock,
                                           std::optional<StoredImage> image, const Tools& tools) {
  TRY(check_locked_layout(lock, project.lock_file()));
  if (image) TRY(check_same_lock(*image, lock));
  if (!image && (!lock.image || !lock.image->manifest)) {
    return make_error(ErrorKind::NotFound, "there is nothing to compare with")
        .reason(fmt::format("`{}` has no digests of an image", project.lock_file()))
        .reason("the project's image is not in the store")
        .hint("`slipway build` makes the image and writes its digests down");
  }
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  TemporaryFolder scratch = TRY(store.make_layer_folder());
  return BuildVerifier(project, lock, std::move(image), tools, std::move(lease),
                       std::move(scratch));
}

Result<void> BuildVerifier::fetch() {
  // A base image is no work of ours that could be done anew: what is here of it counts, once its
  // digests are checked.
  const store::Store real = TRY(store::Store::open(tools_.store_folder, tools_.owner));
  const store::Store scratch =
      TRY(store::Store::open(scratch_tools_.store_folder, scratch_tools_.owner));
  TRY(copy_base_image(real, scratch, lock_));
  return fetch_for_build(project_, lock_, bytecode_of(image_), scratch_tools_);
}

Result<std::string> BuildVerifier::find_where(const ImageLayer& rebuilt,
                                              const ImageLayer& stored) const {
  const store::Store real = TRY(store::Store::open(tools_.store_folder, tools_.owner));
  const store::Store scratch =
      TRY(store::Store::open(scratch_tools_.store_folder, scratch_tools_.owner));
  const std::string one = scratch_.path() + "/stored";
  const std::string other = scratch_.path() + "/rebuilt";
  TRY(write_blob(real, stored, tools_, one));
  TRY(write_blob(scratch, rebuilt, scratch_tools_, other));
  return find_difference(one, other, tools_.cancel);
}

Result<void> BuildVerifier::compare_with_image(const std::vector<ImageLayer>& rebuilt,
                                               const ImageTexts& texts,
                                               VerifiedBuild& outcome) const {
  const std::vector<ImageLayer> layers = image_->layers();
  const auto is_of = [](const std::vector<std::string>& packages) {
    return [&packages](const ImageLayer& one) { return one.packages == packages; };
  };
  for (const ImageLayer& layer : rebuilt) {
    const std::string name = layer_label(layer, static_cast<std::size_t>(&layer - rebuilt.data()));
    const auto stored = std::ranges::find_if(layers, is_of(layer.packages));
    BuildDifference difference{BuildDifference::From::Image, name, {}, {}};
    if (stored == layers.end()) {
      difference.text = fmt::format("{}: the image has no such layer", name);
    } else if (stored->digest != layer.digest || stored->diff_id != layer.diff_id) {
      difference.text = fmt::format("{}: {} in the image, and {} when built again", name,
                                    stored->digest.text(), layer.digest.text());
      const auto where = find_where(layer, *stored);
      if (!where.ok() && where.error().kind == ErrorKind::Cancelled) return where.error();
      difference.where = where.ok() ? *where : "cannot be looked into: " + where.error().message;
    } else {
      continue;
    }
    outcome.differences.push_back(std::move(difference));
  }
  for (const ImageLayer& layer : layers) {
    if (std::ranges::any_of(rebuilt, is_of(layer.packages))) continue;
    const std::string name = fmt::format("{}", fmt::join(layer.packages, ", "));
    outcome.differences.push_back({BuildDifference::From::Image,
                                   name,
                                   name + ": the image has that layer, and the lock gives none",
                                   {}});
  }
  if (!outcome.differences.empty() || *outcome.stored == outcome.rebuilt) return {};
  const bool is_config = image_->manifest.config.digest != texts.config_digest;
  const std::string name = is_config ? "the configuration" : "the manifest";
  outcome.differences.push_back(
      {BuildDifference::From::Image,
       name,
       fmt::format("{}: {} in the image, and {} when built again", name,
                   (is_config ? image_->manifest.config.digest : *outcome.stored).text(),
                   (is_config ? texts.config_digest : outcome.rebuilt).text()),
       {}});
  return {};
}

Result<VerifiedBuild> BuildVerifier::verify(store::Owner owner) {
  tools_.owner = owner;
  scratch_tools_.owner = owner;
  const Bytecode bytecode = bytecode_of(image_);
  BuildRequest request;
  request.bytecode = bytecode;
  request.proof = Proof::Skip;
  request.bytecode_folder = scratch_.path() + "/bytecode";
  const store::Store store =
      TRY(store::Store::open(scratch_tools_.store_folder, scratch_tools_.owner));
  LayerBuilder builder(store, project_, lock_, request, scratch_tools_);
  const std::vector<ImageLayer> layers = TRY(builder.build());
  const oci::ImageConfig config = TRY(configure_image(store, project_.spec, lock_));
  const ImageTexts texts = encode_image(config, layers);

  VerifiedBuild outcome;
  outcome.rebuilt = texts.manifest_digest;
  outcome.layers = layers.size();
  if (lock_.image) outcome.locked = lock_.image->manifest;
  if (image_) {
    outcome.stored = image_->digest;
    TRY(compare_with_image(layers, texts, outcome));
  }
  if (lock_.image) {
    const spec::LockedImage now = make_locked_image(config, layers);
    for (Difference& one : compare_images(*lock_.image, now, bytecode)) {
      outcome.differences.push_back(
          {BuildDifference::From::Lock, std::move(one.what), std::move(one.text), {}});
    }
  }
  return outcome;
}

}  // namespace slipway::plan
