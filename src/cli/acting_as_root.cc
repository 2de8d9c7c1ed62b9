#include "cli/acting_as_root.h"

namespace slipway::cli {

Result<void> act_as_root(const UserNamespaceRequest& request, plan::Tools& tools) {
  const NamespaceInfo info = TRY(enter_user_namespace(request));
  if (info.entered) tools.owner = {info.owner_uid, info.owner_gid};
  return {};
}

}  // namespace slipway::cli
