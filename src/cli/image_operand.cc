#include "cli/image_operand.h"

#include "base/file.h"
#include "cli/acting_as_root.h"
#include "plan/archive_environment.h"
#include "plan/load_image.h"
#include "plan/run_image.h"

namespace slipway::cli {

std::optional<std::string> find_archive_path(const std::string& word, const Context& context,
                                             const plan::Tools& tools) {
  const Result<std::string> path = absolute_path(join_path(context.folder, word));
  if (!path.ok() || !plan::is_image_archive(*path)) return std::nullopt;
  // A bare word is an image first: a folder of that name may stand there by chance.
  const bool is_path = word.find('/') != std::string::npos || word.ends_with(".tar");
  if (!is_path && plan::find_stored_image(word, tools).ok()) return std::nullopt;
  return *path;
}

Result<ImageOperand> find_image_operand(const std::string& word, const Context& context,
                                        const plan::Tools& tools) {
  const std::optional<std::string> path = find_archive_path(word, context, tools);
  if (!path) {
    if (word.starts_with("./") || word.starts_with("../") || word.starts_with('/'))
      return make_error(ErrorKind::NotFound, "there is no image at `{}`", word);
    return ImageOperand{TRY(plan::find_stored_image(word, tools)), std::nullopt};
  }
  plan::Incoming incoming = TRY(plan::read_archive(*path, std::nullopt, tools));
  if (incoming.images.size() != 1) {
    return make_error(ErrorKind::InvalidInput, "`{}` holds {} images", word, incoming.images.size())
        .hint("`slipway load` takes them all, then name one");
  }
  plan::IncomingImage& image = incoming.images.front();
  image.names.clear();
  plan::StoredImage stored{word, image.digest, image.manifest, image.config};
  return ImageOperand{std::move(stored), std::move(incoming)};
}

Result<void> open_operands(std::span<ImageOperand> operands, plan::Tools& tools) {
  const ImageOperand& first = operands.front();
  const plan::ImageIds ids =
      TRY(first.incoming ? plan::find_incoming_ids(first.incoming->images.front(), tools)
                         : plan::find_image_ids(first.image, first.image.config.user, tools));
  TRY(act_as_root({ids.uid, ids.gid, {}, kOneIsEnough}, tools));
  for (const ImageOperand& operand : operands) {
    if (operand.incoming) TRY(plan::unpack_incoming(*operand.incoming, tools));
  }
  return {};
}

}  // namespace slipway::cli
