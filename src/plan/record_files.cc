#include "plan/record_files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/open_within.h"
#include "layer/tar_reader.h"

namespace slipway::plan {
namespace {

Error too_large(std::string_view path) {
  return make_error(ErrorKind::Corrupt, "`{}` is larger than any real one", path);
}

}  // namespace

bool RecordFiles::is_wanted(std::string_view path) {
  return path == "etc/passwd" || path == "etc/group";
}

void RecordFiles::add(const std::string& path, std::string text) {
  files_.try_emplace(path, std::move(text));
}

Result<void> RecordFiles::read_layer(const std::string& blob, const CancelToken& cancel) {
  std::map<std::string, std::string> found;
  const auto visit = [&](const layer::TarItem& item, Source& contents) -> Result<void> {
    if (item.kind != layer::TarItem::Kind::File || !is_wanted(item.path)) return {};
    if (item.size_bytes > kMostBytes) return too_large(item.path);
    StringSink text;
    TRY(copy(contents, text));
    found[item.path] = std::move(text.text);
    return {};
  };
  TRY(layer::read_tar_file(blob, cancel, visit));
  files_.merge(found);
  return {};
}

Result<void> RecordFiles::read_unpacked(const std::string& folder) {
  const UniqueFd top = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  for (const char* path : {"etc/passwd", "etc/group"}) {
    const UniqueFd file(open_within(top.get(), path, O_RDONLY | O_NONBLOCK,
                                    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (static_cast<std::uint64_t>(status.st_size) > kMostBytes) return too_large(path);
    FdSource source(file.get());
    StringSink text;
    TRY(copy(source, text));
    add(path, std::move(text.text));
  }
  return {};
}

std::string RecordFiles::text_of(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? std::string() : found->second;
}

}  // namespace slipway::plan
