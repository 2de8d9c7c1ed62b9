#include "cli/project_image.h"

#include "plan/project_folder.h"

namespace slipway::cli {

Result<plan::StoredImage> image_of(const Invocation& call, const Context& context,
                                   const plan::Tools& tools) {
  if (!call.operands.empty()) return plan::find_stored_image(call.operands[0], tools);
  const plan::ProjectFolder project = TRY(plan::open_project(context.folder));
  const std::string reference = project.spec.image.name + ":" + project.spec.image.tag;
  Result<plan::StoredImage> image = plan::find_stored_image(reference, tools);
  if (!image.ok() && image.error().kind == ErrorKind::NotFound) {
    return make_error(ErrorKind::NotFound, "the project's image `{}` is not built yet", reference)
        .hint("`slipway build` makes it");
  }
  return image;
}

}  // namespace slipway::cli
