#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "layer/record_file.h"
#include "plan/slim_layer_plan.h"

namespace slipway::plan {
namespace {

std::string inside(const std::string& path) { return path.substr(1); }

/// The regular file at a path of a layer's tree, no link on the way.
Result<UniqueFd> open_in(const std::string& root, const std::string& path) {
  const UniqueFd folder = TRY(open_file(root, O_RDONLY | O_DIRECTORY));
  return open_beneath(folder.get(), inside(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
}

}  // namespace

std::optional<std::uint64_t> tree_file_size(const std::string& tree, const std::string& path) {
  const auto fd = open_in(tree, path);
  struct stat status {};
  if (!fd.ok() || ::fstat(fd->get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return static_cast<std::uint64_t>(status.st_size);
}

std::optional<std::string> record_path(const std::string& dist_info, const std::string& row) {
  const auto path = absolute_path(parent_path(dist_info) + "/" + row);
  if (!path.ok()) return {};
  return *path;
}

Result<std::string> slim_record(const std::string& root, const std::string& folder,
                                const layer::LayerEdits& edits,
                                const layer::PatchedDigests& digests) {
  const std::string text = TRY(read_file(root + folder + "/RECORD"));
  const layer::Record record =
      TRY_WHILE(fmt::format("reading `{}/RECORD`", folder), layer::parse_record(text));
  layer::Record changed;
  for (const auto& [row, facts] : record) {
    const auto path = record_path(folder, row);
    const auto edit = path ? edits.find(inside(*path)) : edits.end();
    if (edit == edits.end()) {
      changed[row] = facts;
    } else if (std::holds_alternative<layer::Patch>(edit->second)) {
      changed[row] = {"sha256=" + digests.at(edit->first).base64url(), facts.size};
    }
  }
  return layer::write_record(changed);
}

}  // namespace slipway::plan
