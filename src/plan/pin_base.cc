#include "plan/pin_base.h"

#include "plan/base_apt.h"
#include "plan/base_facts.h"
#include "plan/base_image.h"
#include "plan/base_packages.h"
#include "plan/image_frame.h"

namespace slipway::plan {
namespace {

Result<void> check_base(const BaseImage& base) {
  if (!base.image.config.labels.contains(kLockLabel)) return {};
  return make_error(ErrorKind::Unsupported, "the base `{}` is an environment that Slipway made",
                    base.reference)
      .hint("take the image that it was made from, and put its packages into [python]");
}

/// Packages of an older lock are solved again, whoever asked for them: they are its Python's too.
bool wants_packages(const spec::Project& project, const spec::Lock& kept) {
  return !project.base.apt.empty() || !kept.debs.empty();
}

}  // namespace

Result<void> pin_base(const spec::Project& project, const KeptBase& kept, Indexes& indexes,
                      const Tools& tools, spec::Lock& lock) {
  const std::string& image = project.base.image;
  const std::string& python = project.python.version;
  const bool is_same = kept.lock != nullptr && kept.lock->base && kept.lock->base->image == image;
  if (is_same && !wants_packages(project, *kept.lock) &&
      (python.empty() || python == kept.lock->python_version)) {
    lock.base = kept.lock->base;
    lock.glibc = kept.lock->glibc;
    lock.python_version = kept.lock->python_version;
    return {};
  }
  const store::Store store = TRY(store::Store::open(tools.store_folder, tools.owner));
  const store::Lease lease = TRY(store.lease(tools.reporter, tools.cancel));
  const BaseImage base = is_same ? TRY(bring_base_image(store, *kept.lock->base, tools))
                                 : TRY(fetch_base_image(image, std::nullopt, tools));
  TRY(check_base(base));
  const TarTree tree = TRY(read_base_image(base, store, tools));
  const NoPython no_python = find_base_system(tree).has_dpkg ? NoPython::Told : NoPython::Refused;
  BaseFacts facts =
      TRY(find_base_facts(tree, base.image.config, python, base.reference, no_python));
  if (facts.interpreter.empty() || !project.base.apt.empty()) {
    TRY(add_base_packages(project, tree, kept.debs, indexes, indexes.client(), tools, facts, lock));
  }
  lock.base = spec::LockedBase{image,        base.image.digest, facts.os,
                               facts.python, facts.interpreter, facts.shell};
  lock.glibc = facts.glibc;
  lock.python_version = facts.python.substr(0, facts.python.find('.', 2));
  return {};
}

}  // namespace slipway::plan
