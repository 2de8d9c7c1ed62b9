#include "plan/pin_base.h"

#include "plan/base_facts.h"
#include "plan/base_image.h"
#include "plan/image_frame.h"

namespace slipway::plan {
namespace {

Result<BaseFacts> read_facts(const BaseImage& base, const store::Store& store,
                             const std::string& python, const Tools& tools) {
  if (base.image.config.labels.contains(kLockLabel)) {
    return make_error(ErrorKind::Unsupported, "the base `{}` is an environment that Slipway made",
                      base.reference)
        .hint("take the image that it was made from, and put its packages into [python]");
  }
  const auto task = tools.reporter.start("reading", base.reference, 0);
  std::vector<std::string> blobs;
  for (const oci::Descriptor& layer : base.image.manifest.layers) {
    if (!store.has_blob(layer.digest)) {
      return make_error(ErrorKind::NotFound, "layer {} of the base `{}` is not in the store",
                        layer.digest.text(), base.reference);
    }
    blobs.push_back(store.blob_path(layer.digest));
  }
  const TarTree tree = TRY(read_base_tree(blobs, tools.cancel));
  tools.reporter.finish(task);
  return find_base_facts(tree, base.image.config, python, base.reference);
}

}  // namespace

Result<void> pin_base(const spec::Project& project, const spec::Lock* kept, const Tools& tools,
                      spec::Lock& lock) {
  const std::string& image = project.base.image;
  const std::string& python = project.python.version;
  const bool is_same = kept != nullptr && kept->base && kept->base->image == image;
  if (is_same && (python.empty() || python == kept->python_version)) {
    lock.base = kept->base;
    lock.glibc = kept->glibc;
    lock.python_version = kept->python_version;
    return {};
  }
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const BaseImage base = is_same ? TRY(bring_base_image(store, *kept->base, tools))
                                 : TRY(fetch_base_image(image, std::nullopt, tools));
  const BaseFacts facts = TRY(read_facts(base, store, python, tools));
  lock.base = spec::LockedBase{image,        base.image.digest, facts.os,
                               facts.python, facts.interpreter, facts.shell};
  lock.glibc = facts.glibc;
  lock.python_version = facts.python.substr(0, facts.python.find('.', 2));
  return {};
}

}  // namespace slipway::plan
