#include "cli/acting_as_root.h"

#include <unistd.h>

namespace slipway::cli {

Result<void> act_as_root(const UserNamespaceRequest& request, plan::Tools& tools) {
  const NamespaceInfo info = TRY(enter_user_namespace(request));
  if (info.entered) tools.owner = {info.owner_uid, info.owner_gid};
  return {};
}

Result<void> act_as_root_in(const plan::ImageSpace& space, const plan::StoredImage& image,
                            plan::Tools& tools) {
  if (space.lazy && ::geteuid() != 0) {
    if (const auto owner = TRY(plan::join_lazy_server(image, tools))) {
      tools.owner = *owner;
      return {};
    }
  }
  return act_as_root({space.ids.uid, space.ids.gid, {}, kOneIsEnough}, tools);
}

Result<void> act_as_root_for(const plan::StoredImage& image, plan::Tools& tools) {
  const plan::ImageSpace space = TRY(plan::find_image_space(image, tools));
  return act_as_root_in(space, image, tools);
}

}  // namespace slipway::cli
